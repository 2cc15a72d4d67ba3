import { always, section, whole } from './schema-fields.js';

/** What a part of the base lets its peers take: whole numbers by their names. */
export interface LimitsField<Name extends string> {
  readonly defaults: Readonly<Record<Name, number>>;
  /** The least and the most that each may be. */
  readonly ranges: Readonly<Record<Name, readonly [min: number, max: number]>>;
  /** The first of each pair must not be more than the second. */
  readonly ordered: readonly (readonly [Name, Name])[];
}

type Given<Name extends string> = { readonly [N in Name]?: number | undefined };

const limit = ([min, max]: readonly [number, number], standard: number) => whole(min, max, standard).optional();

/** A section `limits`. What it leaves out has its default. */
export function limitsField<Name extends string>({ defaults, ranges, ordered }: LimitsField<Name>) {
  const names = Object.keys(ranges) as Name[];
  const first = names[0]!;
  const shape = Object.fromEntries(names.map((name) => [name, limit(ranges[name], defaults[name])])) as Record<
    Name,
    ReturnType<typeof limit>
  >;
  return section(shape, `{ "${first}": ${defaults[first]} }`).superRefine((written, context) => {
    const given = written as Given<Name>;
    const all = withDefaults(defaults, given);
    for (const [less, more] of ordered) {
      // One of another type was refused already.
      if (typeof all[less] !== 'number' || typeof all[more] !== 'number' || all[less] <= all[more]) continue;
      // At the one that is written: the other may be there by default only.
      const [at, other, than] = given[less] === undefined ? [more, less, 'less'] : [less, more, 'more'];
      const message = `is ${all[at]}, ${than} than ${other}, which is ${all[other]}${given[other] === undefined ? ' unless you write another' : ''}`;
      context.addIssue({ code: 'custom', path: [at], message });
    }
  }, always);
}

/** With the defaults for what a checked section leaves out. */
export function withDefaults<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
  given: Given<Name>,
): Readonly<Record<Name, number>> {
  const written = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(written) };
}
