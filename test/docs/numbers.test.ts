import { expect, test } from 'vitest';
import { defaultApiLimits } from '../../base/api/api-limits.js';
import { defaultConnectorApiLimits } from '../../base/api/connector/connector-api-limits.js';
import { DEFAULT_ANSWER_TIMEOUT_MS, DEFAULT_STATUS_EVERY_MS } from '../../base/api/connector/connector-api-options.js';
import { MAX_EVENT_OCTETS as MAX_STREAM_EVENT_OCTETS } from '../../base/api/event-stream.js';
import { DEFAULT_STORE, MAX_KNOWN_UNITS, MAX_WEBHOOKS } from '../../base/config/configuration.js';
import { MAX_HANDLERS } from '../../base/config/handlers-schema.js';
import { COMMAND_TIMEOUT_MS, MAX_TTL_MS, REQUEST_TIMEOUT_MS } from '../../base/core/check-request.js';
import { FAILURES_TO_OPEN } from '../../base/core/circuit-breaker.js';
import { MAX_WAITING, MAX_WAITING_OCTETS } from '../../base/core/command-queue.js';
import { COMMAND_WAIT_MS, MAX_MAILBOX_OCTETS } from '../../base/core/mailbox.js';
import { MAX_OPAQUE_FIELDS, MAX_OPAQUE_TEXT_CHARACTERS } from '../../base/core/opaque-fields.js';
import { MAX_PAYLOAD_DEPTH } from '../../base/core/opaque-payload.js';
import { MAX_REMEMBERED_PAYLOAD } from '../../base/core/outcome.js';
import { REMEMBERED_MS, REMEMBERED_PER_UNIT } from '../../base/core/recent-commands.js';
import { MAX_RECORD_KEY, MAX_RECORD_OCTETS, MAX_RECORDS } from '../../base/core/records.js';
import { LOG_RATE, MAX_LINE_CHARACTERS, MAX_LOG_OCTETS, MAX_UNIT_LINES } from '../../base/core/unit-logs.js';
import { defaultConnectorLimits as devices } from '../../base/dialects/connector/connector-limits.js';
import { MAX_STALLED_MS, MAX_UNTAKEN_OCTETS } from '../../base/dialects/contained-carrier.js';
import { PROOF_MS } from '../../base/dialects/handler-scope.js';
import { MAX_RAW_LINE } from '../../base/dialects/line/line-dialect.js';
import { BOOT_MS } from '../../base/dialects/line/line-write-session.js';
import { BACKUPS_KEPT } from '../../base/engine/embedded/backups.js';
import { MAX_DEAD } from '../../base/engine/embedded/upkeep.js';
import { DIAL_BACK_OFF, REFUSED_BACK_OFF_MS } from '../../base/links/back-off.js';
import { HEARTBEAT } from '../../base/links/link-watch.js';
import { LOOK_EVERY_MS } from '../../base/links/serial/port-watch.js';
import { MAX_UNPROVED, MAX_UNPROVED_PER_ADDRESS } from '../../base/links/unproved.js';
import { DISABLE_AFTER_MS } from '../../base/uplinks/outbox/endpoint.js';
import { MAX_ITEMS, MAX_OCTETS } from '../../base/uplinks/outbox/outbox-room.js';
import { SCHEDULE_MS } from '../../base/uplinks/outbox/retry-schedule.js';
import { MAX_FIELDS_OCTETS } from '../../base/uplinks/pusher/channel-events.js';
import { MAX_IN_FLIGHT } from '../../base/uplinks/pusher/command-intake.js';
import { MAX_EVENT_OCTETS } from '../../base/uplinks/pusher/event-size.js';
import { TOTAL_TIMEOUT_MS } from '../../base/uplinks/webhooks/deliver.js';
import { DEFAULT_RING } from '../../protocol/definition/define-unit.js';
import { MAX_ANSWER_OCTETS, MAX_MESSAGE_OCTETS, REPLY_HEAD_OCTETS } from '../../protocol/definition/layout.js';
import { MAX_PAYLOAD_OCTETS } from '../../protocol/iotsocket/payload.js';
import { MAX_CHUNK_OCTETS } from '../../protocol/serial/frame.js';
import { proseOf } from './support/documents.js';

/** As the documents write numbers: `16 384`. */
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, value > 9_999 ? ' ' : '');
const thousands = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
const s = (ms: number): string => `${ms / 1_000} s`;
const min = (ms: number): string => `${ms / 60_000} min`;
const days = (ms: number): string => `${ms / 86_400_000} days`;

test.each([
  ['README.md', `${grouped(MAX_KNOWN_UNITS)} units`],
  ['README.md', `${MAX_WAITING} commands or ${MAX_WAITING_OCTETS / 1_024} KiB waiting for a unit`],
  ['README.md', `${thousands(MAX_MESSAGE_OCTETS)} octets a message`],
  ['README.md', `${MAX_RAW_LINE} octets a raw line`],
  ['README.md', `${grouped(MAX_ITEMS)} events or ${MAX_OCTETS / 2 ** 20} MiB waiting for a webhook`],
  ['README.md', `${defaultApiLimits.streams} event streams, ${defaultApiLimits.streamsPerToken} of one token`],
  ['README.md', `${defaultApiLimits.requestsPerS} requests a second`],
  ['README.md', `goes silent is noticed within ${s(HEARTBEAT.deadAfterMs)}`],
  ['README.md', `up to ${s(DIAL_BACK_OFF.capMs)}, after a wrong key after ${min(REFUSED_BACK_OFF_MS)}`],
  ['README.md', `A command waits ${s(COMMAND_TIMEOUT_MS)} for its answer`],
  ['README.md', `its latest ${DEFAULT_RING} while no base is there`],
  ['README.md', `within ${s(TOTAL_TIMEOUT_MS)}. Anything else is tried again, ${SCHEDULE_MS.length - 1} times`],
  ['docs/running.md', `the last ${MAX_UNIT_LINES} lines of a unit, and ${MAX_LOG_OCTETS / 2 ** 20} MiB of all units`],
  ['docs/running.md', `${LOG_RATE.burst} lines at once and ${LOG_RATE.perSecond} a second`],
  ['docs/serial.md', `looked for once ${LOOK_EVERY_MS === 1_000 ? 'a second' : s(LOOK_EVERY_MS)}`],
  ['docs/serial.md', `at most ${MAX_CHUNK_OCTETS} octets with a checksum`],
  ['docs/serial.md', `nothing is written for ${s(BOOT_MS)}`],
  ['docs/handlers.md', `own log, at most ${thousands(MAX_LINE_CHARACTERS)} characters`],
  ['docs/configuration.md', `At most ${MAX_WEBHOOKS} receivers`],
  ['docs/configuration.md', `After ${FAILURES_TO_OPEN} failures in a row`],
  ['docs/definitions.md', `A message takes at most ${thousands(MAX_MESSAGE_OCTETS)} octets`],
  ['docs/definitions.md', `at most ${MAX_ANSWER_OCTETS - REPLY_HEAD_OCTETS} octets`],
  [
    'docs/commands-and-outcomes.md',
    `${MAX_WAITING} commands may wait for one unit, of ${MAX_WAITING_OCTETS / 1_024} KiB together, and ${MAX_MAILBOX_OCTETS / 2 ** 20} MiB of them for all units`,
  ],
  ['docs/commands-and-outcomes.md', `${thousands(MAX_IN_FLIGHT)} of the channel`],
  ['docs/commands-and-outcomes.md', `at most ${grouped(MAX_PAYLOAD_OCTETS)} octets as the object gets it`],
  ['docs/commands-and-outcomes.md', `the whole body has at most ${defaultApiLimits.bodyOctets / 1_024} KiB`],
  ['docs/commands-and-outcomes.md', `the payload ${thousands(MAX_FIELDS_OCTETS)} octets`],
  ['docs/commands-and-outcomes.md', `The object has ${s(REQUEST_TIMEOUT_MS)} to answer`],
  ['docs/commands-and-outcomes.md', `A payload of more than ${thousands(MAX_REMEMBERED_PAYLOAD)} octets`],
  [
    'docs/commands-and-outcomes.md',
    `at most ${MAX_OPAQUE_FIELDS} of them, and ${thousands(MAX_OPAQUE_TEXT_CHARACTERS)} characters of a text`,
  ],
  ['docs/commands-and-outcomes.md', `deeper than ${MAX_PAYLOAD_DEPTH} levels`],
  [
    'docs/commands-and-outcomes.md',
    `of more than ${MAX_STREAM_EVENT_OCTETS / 1_024} KiB (event stream) or ${thousands(MAX_EVENT_OCTETS)} octets (channel)`,
  ],
  ['docs/commands-and-outcomes.md', `waits at most ${s(COMMAND_WAIT_MS)} for its turn`],
  ['docs/commands-and-outcomes.md', `up to ${grouped(MAX_TTL_MS / 1_000)}`],
  ['docs/commands-and-outcomes.md', `last ${REMEMBERED_PER_UNIT} commands for ${REMEMBERED_MS / 60_000} minutes`],
  [
    'docs/configuration.md',
    `After ${FAILURES_TO_OPEN} failures in a row one attempt a minute is made. After ${days(DISABLE_AFTER_MS)} of failures`,
  ],
  ['docs/configuration.md', `${grouped(MAX_ITEMS)} events or ${MAX_OCTETS / 2 ** 20} MiB wait for one receiver`],
  ['docs/configuration.md', `each of the ${BACKUPS_KEPT} backups`],
  ['docs/cloud-connector.md', `1 to ${devices.idCharacters} characters`],
  ['docs/cloud-connector.md', `longer than ${devices.messageOctets / 1_024} KiB`],
  ['docs/cloud-connector.md', `up to ${devices.commandsAtOnce} may be open`],
  ['docs/cloud-connector.md', `more than ${devices.connectionsPerMinute} times in a minute`],
  ['docs/cloud-connector.md', `after ${s(devices.pingAfterMs)} without anything`],
  ['docs/cloud-connector.md', `gives the device up after ${s(devices.deadAfterMs)}`],
  ['docs/cloud-connector.md', `waits for the device, ${s(DEFAULT_ANSWER_TIMEOUT_MS)}`],
  ['docs/cloud-connector.md', `compares them every ${s(DEFAULT_STATUS_EVERY_MS)}`],
  ['docs/cloud-connector.md', `After ${devices.loginFailures} wrong secrets in a minute`],
  ['docs/cloud-connector.md', `After ${defaultConnectorApiLimits.loginFailures} wrong secrets in a minute`],
  ['docs/cloud-connector.md', `${grouped(devices.sessions)} devices at once`],
  ['docs/cloud-connector.md', `${devices.messagesPerS} messages a second, and ${devices.messageBurst} at once`],
  ['docs/cloud-connector.md', `cut at ${devices.unsentOctets / 1_024} KiB, or after ${s(devices.stalledMs)}`],
  [
    'docs/cloud-connector.md',
    `${defaultConnectorApiLimits.requestsPerS} requests a second, and ${defaultConnectorApiLimits.requestBurst} at once`,
  ],
  ['docs/cloud-connector.md', `${grouped(devices.units)} of them; past that`],
  ['docs/configuration.md', `At most ${MAX_HANDLERS}.`],
  [
    'docs/handlers.md',
    `${MAX_UNPROVED_PER_ADDRESS} of one address, ${MAX_UNPROVED} in all: past that the oldest goes; closed after ${s(PROOF_MS)}`,
  ],
  ['docs/handlers.md', `${MAX_UNTAKEN_OCTETS / 1_024} KiB, or nothing taken for ${s(MAX_STALLED_MS)}: it is cut`],
  [
    'docs/handlers.md',
    `${grouped(MAX_RECORDS)}, or what its \`limits.records\` says; a key of 1 to ${MAX_RECORD_KEY} characters, and JSON of at most ${MAX_RECORD_OCTETS / 1_024} KiB`,
  ],
  ['docs/store.md', `${DEFAULT_STORE.rawDays} days, and the latest ${grouped(DEFAULT_STORE.rawPerUnit)} of a unit`],
  ['docs/store.md', `${DEFAULT_STORE.minuteDays} days (\`store.minuteDays\`)`],
  ['docs/store.md', `${thousands(DEFAULT_STORE.hourDays)} days (\`store.hourDays\`)`],
  ['docs/store.md', `more than ${thousands(DEFAULT_STORE.maxMiB)} MiB`],
  ['docs/store.md', `at most ${MAX_TTL_MS / 3_600_000} h`],
  ['docs/store.md', `${REMEMBERED_MS / 60_000} minutes, the last ${REMEMBERED_PER_UNIT} of a unit`],
  ['docs/store.md', `at most ${grouped(MAX_DEAD)} for one receiver`],
  ['docs/store.md', `keeps the latest ${BACKUPS_KEPT}`],
  ['docs/store.md', `keeps its latest ${DEFAULT_RING} and sends them again`],
  ['docs/store.md', `tried again ${SCHEDULE_MS.length - 1} times`],
  ['docs/store.md', `accepted nothing for ${days(DISABLE_AFTER_MS)}`],
  ['docs/store.md', `At ${grouped(MAX_ITEMS)} events or ${MAX_OCTETS / 2 ** 20} MiB`],
])('%s says "%s", as the source does', (document, words) => {
  expect(proseOf(document)).toContain(words);
});
