import type { CommandRequest } from '../../../base/core/command-request.js';
import type { LogLine, Outcome } from '../../../base/core/messages.js';
import type { History, HistoryQuery } from '../../../base/core/store.js';
import type { UnitView } from '../../../base/core/unit-view.js';
import type { CommandStatus, UnitsPort } from '../../../base/core/units-port.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';
import ledLamp from '../../../units/led-lamp.js';
import ledLampLine from '../../../units/led-lamp-line.js';
import rainBarrel from '../../../units/rain-barrel.js';

const view = (unit: string, { name, kind, wire }: UnitDefinition, more: Partial<UnitView> = {}): UnitView => ({
  unit,
  dialect: wire === 'session' ? 'unit' : 'line',
  definition: name,
  kind,
  wire,
  state: 'idle',
  drift: [],
  last: {},
  waiting: 0,
  counts: { reports: 0, commands: 0, missing: 0, refused: 0 },
  ...more,
});

const board: UnitView = {
  unit: 'board',
  dialect: 'iotsocket',
  state: 'online',
  drift: [],
  lastSeenAt: 1_767_225_600_000,
  last: { telemetry: { id: 'board/1767225600/4', fields: { value: 21.5 }, measuredAt: 1_767_225_600_000 } },
  waiting: 0,
  counts: { reports: 4, commands: 0, missing: 0, refused: 0 },
};

/** Four units in memory, one of them not typed. A command ends `ok` at once, or as `answer` says. */
export class KnownUnits implements UnitsPort {
  readonly requests: CommandRequest[] = [];
  answer: (request: CommandRequest) => Promise<Outcome> | Outcome = (request) => outcomeOf(request);
  /** By `unit id`. */
  readonly statuses = new Map<string, CommandStatus>();
  readonly asked: HistoryQuery[] = [];
  course: (query: HistoryQuery) => History = () => ({ at: [], fields: {}, isCut: false });
  readonly forgotten: string[] = [];
  readonly lines: LogLine[] = [];
  /** What the store says to whoever asks it for something. */
  fault: Error | undefined;
  readonly #definitions = new Map<string, UnitDefinition>([
    ['kitchen-lamp', ledLamp],
    ['old lamp/ö', ledLampLine],
    ['barrel', rainBarrel],
  ]);
  readonly #views: readonly UnitView[] = [
    view('kitchen-lamp', ledLamp, {
      version: '1.0.0',
      started: { boot: 3, at: 1_767_225_500_000, resetReason: 4, reset: 'restarted by itself', freeHeap: 41_376 },
      expectedAt: 1_767_226_200_000,
      address: '192.168.1.20:8888',
      lastSeenAt: 1_767_225_600_000,
      last: {
        state: { id: 'kitchen-lamp/1/7', fields: { color: '#ff8800', brightness: 80 }, measuredAt: 1_767_225_600_000 },
      },
      waiting: 2,
      counts: { reports: 7, commands: 3, missing: 1, refused: 0 },
    }),
    view('old lamp/ö', ledLampLine, { address: '192.168.1.21:8888' }),
    view('barrel', rainBarrel, {
      state: 'offline',
      reason: 'connect refused',
      drift: ['water.litres is u8 there, f32 here'],
      last: {
        level: { id: 'barrel/1/1', fields: { litres: 12.5, waterTemperature: 9, flow: [0.5, 1] }, measuredAt: 1 },
      },
    }),
    board,
  ];

  list(): readonly UnitView[] {
    return this.#views;
  }
  uids(): Iterable<string> {
    return this.#views.map(({ unit }) => unit);
  }
  online(): readonly string[] {
    return this.#views.filter(({ state }) => state === 'online').map(({ unit }) => unit);
  }
  get(unit: string): UnitView | undefined {
    return this.#views.find((each) => each.unit === unit);
  }
  definitionOf(unit: string): UnitDefinition | undefined {
    return this.#definitions.get(unit);
  }
  async command(request: CommandRequest): Promise<Outcome> {
    this.requests.push(request);
    return this.answer(request);
  }
  commandStatus(unit: string, id: string): CommandStatus | undefined {
    return this.statuses.get(`${unit} ${id}`);
  }
  logs(unit: string): readonly LogLine[] {
    return this.lines.filter((line) => line.unit === unit);
  }
  async history(query: HistoryQuery): Promise<History> {
    if (this.fault) throw this.fault;
    this.asked.push(query);
    return this.course(query);
  }
  async forget(unit: string): Promise<void> {
    if (this.fault) throw this.fault;
    this.forgotten.push(unit);
  }
}

export function outcomeOf({ id, unit, command, source }: CommandRequest, more: Partial<Outcome> = {}): Outcome {
  return { kind: 'outcome', id, unit, command, outcome: 'ok', source, at: 1_767_225_600_123, ...more };
}
