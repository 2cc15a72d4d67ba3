// A simulated Arduino Uno (simavr's atmega328p at 16 MHz) with a program in its flash. Takes a command a line, answers each
// with a line. Time is the chip's own: it passes only in `run`.
//
//   run MS       runs so long; what was sent over the serial line meanwhile, in hex, `-` for nothing
//   give HEX     puts octets on the serial line, to arrive one after the other at 115 200 baud
//   light MV     millivolts at the analogue input A0
//   pwm          0 to 255 at the pins 9, 10 and 11; `x` for one that is no output
//   stack        the most octets of stack that were ever in use
#include <simavr/avr_adc.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  cyclesPerMs = 16000,
  cyclesPerOctet = 10 * 16000000 / 115200,
  ramBegins = 0x100,
  untouched = 0xa5,
  maxLine = 16384,
};

// Addresses in data memory, atmega328p data sheet, 36 "Register Summary".
enum { DDRB = 0x24, PORTB = 0x25, TCCR1A = 0x80, OCR1AL = 0x88, OCR1BL = 0x8a, TCCR2A = 0xb0, OCR2A = 0xb3 };

static avr_t* avr;
static uint16_t heapBegins;
static avr_irq_t* serialIn;
static avr_irq_t* analogIn;
static uint8_t sent[maxLine / 2];
static size_t sentCount;
static uint8_t given[maxLine / 2];
static size_t givenCount, givenAt;
static avr_cycle_count_t nextOctetAt;

static void complain(avr_t* about, const int level, const char* format, va_list arguments) {
  (void)about;
  if (level <= LOG_ERROR) vfprintf(stderr, format, arguments);
}

static void take(avr_irq_t* irq, uint32_t value, void* unused) {
  (void)irq;
  (void)unused;
  if (sentCount < sizeof sent) sent[sentCount++] = (uint8_t)value;
}

static void load(const char* path) {
  elf_firmware_t firmware = {0};
  if (elf_read_firmware(path, &firmware) != 0) exit(2);
  firmware.frequency = 16000000;
  firmware.vcc = firmware.avcc = firmware.aref = 5000;
  avr = avr_make_mcu_by_name("atmega328p");
  if (avr == NULL) exit(2);
  avr_init(avr);
  avr_load_firmware(avr, &firmware);
  heapBegins = (uint16_t)(ramBegins + firmware.datasize + firmware.bsssize);
  memset(avr->data + ramBegins, untouched, avr->ramend + 1 - ramBegins);
  uint32_t flags = 0;
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  serialIn = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  analogIn = avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), take, NULL);
}

static int run(unsigned ms) {
  const avr_cycle_count_t end = avr->cycle + (avr_cycle_count_t)ms * cyclesPerMs;
  while (avr->cycle < end) {
    if (givenAt < givenCount && avr->cycle >= nextOctetAt) {
      avr_raise_irq(serialIn, given[givenAt++]);
      nextOctetAt = avr->cycle + cyclesPerOctet;
    }
    const int state = avr_run(avr);
    if (state == cpu_Crashed || state == cpu_Done) return 0;
  }
  return 1;
}

static void answerRun(unsigned ms) {
  sentCount = 0;
  if (!run(ms)) {
    printf("crashed\n");
    return;
  }
  for (size_t index = 0; index < sentCount; ++index) printf("%02x", sent[index]);
  printf(sentCount == 0 ? "-\n" : "\n");
}

static void answerGive(const char* hex) {
  givenCount = givenAt = 0;
  unsigned octet = 0;
  for (; sscanf(hex, "%2x", &octet) == 1 && givenCount < sizeof given; hex += 2) given[givenCount++] = (uint8_t)octet;
  nextOctetAt = avr->cycle;
  printf("ok\n");
}

/** What a pin of port B gives: its timer's when that drives it, else all or nothing. */
static void putLevel(uint8_t bit, uint16_t control, uint8_t drives, uint16_t level) {
  const uint8_t* data = avr->data;
  if ((data[DDRB] & (1 << bit)) == 0) printf(" x");
  else printf(" %d", (data[control] & drives) != 0 ? data[level] : (data[PORTB] & (1 << bit)) != 0 ? 255 : 0);
}

static void answerPwm(void) {
  putLevel(1, TCCR1A, 0x80, OCR1AL);
  putLevel(2, TCCR1A, 0x20, OCR1BL);
  putLevel(3, TCCR2A, 0x80, OCR2A);
  printf("\n");
}

static void answerStack(void) {
  unsigned at = heapBegins;
  while (at <= avr->ramend && avr->data[at] == untouched) ++at;
  printf("%u\n", avr->ramend + 1 - at);
}

int main(int count, char** arguments) {
  if (count != 2) return 2;
  avr_global_logger_set(complain);
  load(arguments[1]);
  static char line[maxLine];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strncmp(line, "run ", 4) == 0) answerRun((unsigned)atoi(line + 4));
    else if (strncmp(line, "give ", 5) == 0) answerGive(line + 5);
    else if (strncmp(line, "light ", 6) == 0) avr_raise_irq(analogIn, (uint32_t)atoi(line + 6)), printf("ok\n");
    else if (strcmp(line, "pwm\n") == 0) answerPwm();
    else if (strcmp(line, "stack\n") == 0) answerStack();
    else return 2;
    fflush(stdout);
  }
  return 0;
}
