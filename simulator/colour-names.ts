/** The colours of CSS 2.1 by name: what people type at a lamp. */
const colours: Readonly<Record<string, string>> = {
  aqua: '#00ffff',
  black: '#000000',
  blue: '#0000ff',
  fuchsia: '#ff00ff',
  gray: '#808080',
  green: '#008000',
  lime: '#00ff00',
  maroon: '#800000',
  navy: '#000080',
  olive: '#808000',
  orange: '#ffa500',
  purple: '#800080',
  red: '#ff0000',
  silver: '#c0c0c0',
  teal: '#008080',
  white: '#ffffff',
  yellow: '#ffff00',
};

/** `#rrggbb` for a colour's name, whatever its case; `undefined` for what is none. */
export function colourNamed(name: string): string | undefined {
  const lower = name.trim().toLowerCase();
  return Object.hasOwn(colours, lower) ? colours[lower] : undefined;
}
