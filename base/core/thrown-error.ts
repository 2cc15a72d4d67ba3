/**
 * What was thrown, as an Error whose message can be read: code that is not ours may throw anything, `undefined` and objects
 * that throw when they are looked at among it.
 */
export function thrownError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === 'string') return thrown;
    return new Error(String(thrown), { cause: thrown });
  } catch {
    return new Error('something that cannot be shown was thrown');
  }
}
