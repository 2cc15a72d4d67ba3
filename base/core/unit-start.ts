/** How a unit came up, as its hello says. */
export interface UnitStart {
  /** Its boot number. */
  readonly boot: number;
  /** Unix ms of the first hello of this boot that came here. */
  readonly at: number;
  /** Why it started, in its chip's own numbers: {@link resetText}. */
  readonly resetReason?: number | undefined;
  /** Octets of its heap that were free when it last said hello. */
  readonly freeHeap?: number | undefined;
}

/** `rst_info.reason` of the ESP8266 (`enum rst_reason` of its SDK's user_interface.h). */
const resets: readonly { readonly text: string; readonly isCrash?: true }[] = [
  { text: 'power-on' },
  { text: 'hardware watchdog', isCrash: true },
  { text: 'exception', isCrash: true },
  { text: 'software watchdog', isCrash: true },
  { text: 'restarted by itself' },
  { text: 'woke from deep sleep' },
  { text: 'reset button' },
];

/** A reset reason in words; one that is not known as its number. */
export const resetText = (reason: number): string => resets[reason]?.text ?? `reset reason ${reason}`;

/** Its program hung or failed: somebody should know. */
export const isCrash = (reason: number | undefined): boolean =>
  reason !== undefined && resets[reason]?.isCrash === true;
