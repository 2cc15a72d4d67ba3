/** Of the atmega328p, by its data sheet. */
export const RAM_OCTETS = 2_048;
/** 32 KiB without the 512 octets of the Uno's boot loader. */
export const FLASH_OCTETS = 32_256;
/** Of the RAM this much stays for the stack: about twice what the examples are seen to use. */
export const STACK_OCTETS = 512;
