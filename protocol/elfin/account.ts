/** A user's name on the wire: it stands in records and in addresses of the API, too. */
export const MAX_UUID_CHARACTERS = 64;
/** A shorter secret can be guessed; a longer one would take the room of the message. */
export const MIN_SECRET_CHARACTERS = 8;
export const MAX_SECRET_CHARACTERS = 64;

// U+FFFD stands for octets that are no UTF-8: two that differ must not be one user.
const uuidRule = new RegExp(`^[^;:\\p{C}\\p{Zl}\\p{Zp}\\uFFFD]{1,${MAX_UUID_CHARACTERS}}$`, 'u');
const secretRule = new RegExp(
  `^[^;\\p{Cc}\\p{Cs}\\u2028\\u2029\\uFFFD]{${MIN_SECRET_CHARACTERS},${MAX_SECRET_CHARACTERS}}$`,
  'u',
);

/** Whether a user may be called so. `.` and `..` have another meaning in every URL. */
export const isUserUuid = (text: string): boolean => uuidRule.test(text) && text !== '.' && text !== '..';

/** What is said of a text that is no uuid. */
export const UUID_RULE = `has 1 to ${MAX_UUID_CHARACTERS} printable characters, and no ";" or ":"`;

/** Whether it may be the secret of a user. */
export const isUserSecret = (text: string): boolean => secretRule.test(text);

/** What is said of a text that is no secret. */
export const SECRET_RULE = `has ${MIN_SECRET_CHARACTERS} to ${MAX_SECRET_CHARACTERS} characters, and no control characters or ";"`;
