/** Of a UID: the ids of devices on WebSockets, and those that a user's handler gives, are the longest. */
export const MAX_UID_CHARACTERS = 128;

const fit = new RegExp(`^[^\\p{Cc}\\p{Surrogate}\\u2028\\u2029]{1,${MAX_UID_CHARACTERS}}$`, 'u');

/** Whether some unit may have it. `.` and `..` have another meaning in every URL. */
export const isUid = (text: string): boolean => fit.test(text) && text !== '.' && text !== '..';

/** What is said of a text that is none. */
export const UID_RULE = `has 1 to ${MAX_UID_CHARACTERS} characters, and no control characters`;
