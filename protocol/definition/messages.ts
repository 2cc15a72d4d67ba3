import type { CommandDefinition, Fields, ReportDefinition, UnitDefinition } from './define-unit.js';

/** A report or a command of a definition, with its name. */
export type MessageDefinition =
  | ({ readonly kind: 'report'; readonly name: string; readonly fields: Fields } & ReportDefinition)
  | ({ readonly kind: 'command'; readonly name: string; readonly fields: Fields } & CommandDefinition);

/** All messages of a definition in the order of their numbers. */
export function messagesOf(definition: UnitDefinition): MessageDefinition[] {
  const reports = Object.entries(definition.reports).map(
    ([name, report]): MessageDefinition => ({ ...report, kind: 'report', name }),
  );
  const commands = Object.entries(definition.commands).map(
    ([name, command]): MessageDefinition => ({ ...command, kind: 'command', name, fields: command.fields ?? {} }),
  );
  return [...reports, ...commands].sort((a, b) => a.number - b.number);
}

/** The report or command with that number. */
export function messageByNumber(definition: UnitDefinition, number: number): MessageDefinition | undefined {
  return messagesOf(definition).find((message) => message.number === number);
}
