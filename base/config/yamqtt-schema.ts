import { z } from 'zod';
import { DEFAULT_PORT, MAX_FLOW } from '../../protocol/yamqtt/records.js';
import type { FlowRule, YamqttOptions } from '../dialects/yamqtt/yamqtt-options.js';
import { type ReadRule, readCommandRule, readReportRule, type TypedUnits } from './read-flow-rules.js';
import { address, always, expected, section, text } from './schema-fields.js';
import { yamqttLimitsOf, yamqttLimitsSection } from './yamqtt-limits-schema.js';

/** The longest UID, and the longest names of a report and a field behind it. */
const MAX_RULE_CHARACTERS = 200;

const TCP_EXAMPLE = `"0.0.0.0:${DEFAULT_PORT}"`;
const REPORT_EXAMPLE = '"thermometer.reading"';
const COMMAND_EXAMPLE = '"kitchen-lamp.set"';
const RULE_EXAMPLE = `{ "report": ${REPORT_EXAMPLE} }`;

/** `yamqtt`. What rules name is looked at with the whole file: {@link flowProblems}. */
export function yamqttSection() {
  const shape = {
    tcp: address(DEFAULT_PORT, TCP_EXAMPLE),
    flows: flowsField().optional(),
    limits: yamqttLimitsSection().optional(),
  };
  return section(shape, `{ "tcp": ${TCP_EXAMPLE} }`);
}

function flowsField() {
  const rule = section(
    {
      report: text(REPORT_EXAMPLE, MAX_RULE_CHARACTERS).optional(),
      command: text(COMMAND_EXAMPLE, MAX_RULE_CHARACTERS).optional(),
    },
    RULE_EXAMPLE,
  ).superRefine((written, context) => {
    if ('report' in written || 'command' in written) return;
    const message = `says nothing; write "report": ${REPORT_EXAMPLE}, "command": ${COMMAND_EXAMPLE} or both`;
    context.addIssue({ code: 'custom', message });
  });
  return z
    .record(z.string(), rule, { error: expected('an object', `{ "42": ${RULE_EXAMPLE} }`) })
    .superRefine((flows, context) => {
      for (const flow of Object.keys(flows)) {
        if (isFlow(flow)) continue;
        const message = `is no flow; write a whole number from 1 to ${MAX_FLOW}, as "42"`;
        context.addIssue({ code: 'custom', path: [flow], message });
      }
    }, always);
}

const isFlow = (key: string): boolean => /^[1-9]\d{0,4}$/.test(key) && Number(key) <= MAX_FLOW;

type Flows = NonNullable<z.output<ReturnType<typeof yamqttSection>>['flows']>;

interface FlowProblem {
  /** Of the file. */
  readonly path: readonly string[];
  readonly what: string;
}

/** What rules name and is not there. */
export function flowProblems(flows: Flows | undefined, units: TypedUnits): FlowProblem[] {
  // One of another type was refused already, and is no rule here.
  if (typeof flows !== 'object' || flows === null) return [];
  return Object.entries(flows).flatMap(([flow, rule]) =>
    (
      [
        ['report', readReportRule],
        ['command', readCommandRule],
      ] as const
    ).flatMap(([kind, read]) => {
      const written: unknown = rule?.[kind];
      const found: ReadRule<unknown> | undefined =
        typeof written === 'string' && written !== '' ? read(written, units) : undefined;
      return found === undefined || found.ok ? [] : [{ path: ['yamqtt', 'flows', flow, kind], what: found.what }];
    }),
  );
}

/** What a checked `yamqtt` section says, in the form the base uses. */
export function yamqttOf(section: z.output<ReturnType<typeof yamqttSection>>, units: TypedUnits): YamqttOptions {
  return {
    listen: section.tcp!,
    flows: new Map(
      Object.entries(section.flows ?? {}).map(([flow, { report, command }]): [number, FlowRule] => [
        Number(flow),
        {
          ...(report === undefined ? {} : { report: ruleOf(readReportRule(report, units)) }),
          ...(command === undefined ? {} : { command: ruleOf(readCommandRule(command, units)) }),
        },
      ]),
    ),
    limits: yamqttLimitsOf(section.limits ?? {}),
  };
}

/** Of one that was checked. */
const ruleOf = <R>(read: ReadRule<R>): R | undefined => (read.ok ? read.rule : undefined);
