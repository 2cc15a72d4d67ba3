/** A message without one of its parts, for whoever has no room for that. Its reason says so, behind what it said before. */
export function withoutPart<T extends object, P extends string>(
  message: T,
  part: P,
  why: string,
): Omit<T, P> & { readonly reason: string } {
  const { [part]: _, ...rest } = message as T & Record<P, unknown>;
  const { reason } = message as { readonly reason?: string };
  return { ...(rest as Omit<T, P>), reason: reason === undefined ? why : `${reason}; ${why}` };
}
