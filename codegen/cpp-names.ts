/** Names of a definition as C++ names. The definition's own check keeps them apart without regard to case. */

/** Words that C++17, and the macros of the GNU dialect and of the C libraries (avr-libc's too), keep for themselves. */
const reserved = new Set(
  `alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl concept const
   const_cast constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern false float
   for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected
   public register reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch
   template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void volatile
   wchar_t while xor xor_eq
   errno i386 linux stderr stdin stdout unix xtensa
   acosf asinf atan2f atanf cbrtf ceilf copysignf cosf coshf expf fabsf fdimf floorf fmaf fmaxf fminf fmodf frexpf hypotf
   isfinitef isinff isnanf ldexpf log10f logf lrintf lroundf powf roundf signbitf sinf sinhf squaref tanf tanhf truncf`.split(
    /\s+/,
  ),
);

/** Macros of the Arduino cores and of the C library that look like calls: harmless to a member, deadly to a function. */
const functionMacros = new Set(
  `abs analogInPinToBit analogInputToDigitalPin assert bit bitClear bitRead bitSet bitToggle bitWrite clearerr clearerror cli
   clockCyclesPerMicrosecond clockCyclesToMicroseconds constrain degrees digitalPinHasPWM digitalPinToBitMask
   digitalPinToInterrupt digitalPinToPCICR digitalPinToPCICRbit digitalPinToPCMSK digitalPinToPCMSKbit digitalPinToPort
   digitalPinToTimer feof ferror fpclassify getc getchar highByte interrupts isfinite isinf isnan isnormal labs lowByte max
   microsecondsToClockCycles min noInterrupts offsetof portInputRegister portModeRegister portOutputRegister putc putchar
   radians reti round sei setjmp signbit sq word`.split(/\s+/),
);

/** `led-lamp` → `led_lamp`. */
export function namespaceOf(unit: string): string {
  const name = unit.replaceAll('-', '_');
  return reserved.has(name) ? `${name}_unit` : name;
}

/** `setColor` → `SetColor`. */
export function typeNameOf(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/** A field as a member of its struct: its own name, with `_` behind it where C++ keeps the word for itself. */
export function memberNameOf(name: string): string {
  return reserved.has(name) ? `${name}_` : name;
}

/** A command's handler: its own name, with `_` behind it where that would be a macro. */
export function handlerNameOf(name: string): string {
  return functionMacros.has(name) ? `${name}_` : memberNameOf(name);
}

/**
 * The values of a oneOf as enumerators, each its own. Values in capitals become small letters, because Arduino has
 * macros named `HIGH`, `OUTPUT` and `B1`; a leading digit gets a `v` before it, and no two underscores meet.
 */
export function enumeratorsOf(values: readonly string[]): string[] {
  const taken = new Set<string>();
  return values.map((value) => {
    const own = enumeratorOf(value);
    let name = own;
    for (let count = 2; taken.has(name); count += 1) name = `${own.replace(/_$/, '')}_${count}`;
    taken.add(name);
    return name;
  });
}

function enumeratorOf(value: string): string {
  const isInCapitals = !/[a-z]/.test(value);
  const letters = (isInCapitals ? value.toLowerCase() : value)
    .replaceAll('-', '_')
    .replaceAll(/_{2,}/g, '_')
    .replace(/^_/, '');
  if (letters === '') return 'blank';
  if (/^[0-9]/.test(letters)) return `v${letters}`;
  return reserved.has(letters) ? `${letters}_` : letters;
}
