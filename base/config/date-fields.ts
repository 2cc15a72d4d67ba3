import { suggest } from '../core/suggest.js';
import { text } from './schema-fields.js';

const MAX_FORMAT_CHARACTERS = 64;
const ZONE_EXAMPLE = '"Europe/Budapest"';
const TOKENS = 'YYYY, MM, DD, HH, mm, ss';
const token = /YYYY|MM|DD|HH|mm|ss/g;
/** All that is neither a blank nor punctuation of ASCII. */
const stray = /[^ -/:-@[-`{-~]+/;

/** An IANA name of a time zone that this machine's Node knows. */
export function timeZone() {
  return text(ZONE_EXAMPLE).superRefine((zone, context) => {
    const message = problemOfZone(zone);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

function problemOfZone(zone: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return undefined;
  } catch {
    const near = suggest(zone, Intl.supportedValuesOf('timeZone'));
    return `${JSON.stringify(zone)} is no time zone; ${near === undefined ? `write one as ${ZONE_EXAMPLE}` : `did you mean ${near}?`}`;
  }
}

/** A pattern of YYYY, MM, DD, HH, mm, ss with blanks and punctuation between them. `example` in quotes. */
export function dateFormat(example: string) {
  return text(example, MAX_FORMAT_CHARACTERS).superRefine((format, context) => {
    const rest = format.replaceAll(token, '');
    const [other] = stray.exec(format.replaceAll(token, ' ')) ?? [];
    const say = (what: string): void =>
      context.addIssue({ code: 'custom', message: `${what}; write it of ${TOKENS}, blanks and punctuation` });
    // What has control characters was refused already.
    if (other !== undefined) say(`has ${JSON.stringify(other)}, which stands for nothing`);
    else if (rest === format) say('has nothing of a date');
  });
}
