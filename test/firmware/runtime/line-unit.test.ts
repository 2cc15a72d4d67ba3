import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildSessionDriver, DrivenUnit, type Happened } from './driven-unit.js';

const MAX_LINE = 512;

let unit: DrivenUnit;
beforeAll(async () => {
  unit = new DrivenUnit(await buildSessionDriver(['-funsigned-char']));
}, 180_000);
afterAll(async () => expect(await unit.stop()).toEqual({ status: 0, complaints: '' }));

const text = (happened: Happened, connection: number): string => Buffer.from(happened.out(connection)).toString('utf8');

describe('a read unit', () => {
  beforeEach(() => unit.start('light'));

  test('writes one value a line to whoever is connected; the last one at once', async () => {
    await unit.do('light 512');
    await unit.do('connect 0');
    expect(text(await unit.loop(3), 0)).toBe('512\n');
    expect(text(await unit.do('light 7'), 0)).toBe('7\n');
    expect(text(await unit.loop(3), 0)).toBe('');
    expect(text(await unit.do('light 1023'), 0)).toBe('1023\n');
  });

  test('a value out of its bounds is neither written nor kept', async () => {
    await unit.do('connect 0');
    await unit.loop();
    const happened = await unit.do('light 1024');
    expect(happened.events).toEqual(['reported out-of-range']);
    expect(text(happened, 0)).toBe('');
    expect(text(await unit.loop(), 0)).toBe('');
  });

  test('a second connection waits until the first is closed', async () => {
    await unit.do('light 1');
    await unit.do('connect 0');
    await unit.loop();
    await unit.do('connect 1');
    expect(text(await unit.loop(), 1)).toBe('');
    expect(text(await unit.do('light 2'), 0)).toBe('2\n');
    await unit.do('end 0');
    expect((await unit.loop()).events).toEqual(['closed 0']);
    expect(text(await unit.loop(), 1)).toBe('2\n');
  });

  test('what a reader sends means nothing', async () => {
    await unit.do('connect 0');
    await unit.give(0, Buffer.from('red\r'));
    expect(text(await unit.do('light 3'), 0)).toBe('3\n');
  });

  test('a reader that takes little at a time gets whole lines, and fewer', async () => {
    await unit.do('connect 0');
    await unit.loop();
    await unit.do('room 0 2');
    let got = text(await unit.do('light 512'), 0);
    expect(got).toBe('51');
    got += text(await unit.do('light 513'), 0);
    await unit.do('room 0 -1');
    got += text(await unit.loop(), 0);
    got += text(await unit.do('light 514'), 0);
    expect(got).toBe('512\n514\n');
  });

  test('a reader whose machine is gone makes room after 30 s', async () => {
    await unit.do('connect 0');
    await unit.do('light 5');
    await unit.loop();
    await unit.do('unacknowledged 0 1');
    expect((await unit.pass(29_999)).events).toEqual([]);
    await unit.do('connect 1');
    const happened = await unit.pass(1);
    expect(happened.events).toEqual(['closed 0']);
    expect(text(happened, 1) + text(await unit.loop(), 1)).toBe('5\n');
  });

  test('a reader that takes nothing makes room after 30 s; one that lives is kept for ever', async () => {
    await unit.do('connect 0');
    await unit.do('light 5');
    await unit.loop();
    expect((await unit.pass(86_400_000)).events).toEqual([]);
    await unit.do('room 0 0');
    await unit.do('light 6');
    await unit.pass(29_999);
    expect((await unit.pass(1)).events).toEqual(['closed 0']);
  });
});

describe('an updatable unit', () => {
  beforeEach(async () => {
    await unit.start('line-lamp');
    await unit.do('connect 0');
  });
  const give = async (line: string): Promise<readonly string[]> =>
    (await unit.give(0, Buffer.from(line, 'latin1'), 8)).events;

  test.each([
    ['\\r', 'red\rblue\r'],
    ['\\n', 'red\nblue\n'],
    ['\\r\\n', 'red\r\nblue\r\n'],
    ['each in turn', 'red\r\n\nblue\r\r'],
    ['spaces around', ' red \n\t#0000ff\r'],
  ])('takes lines ended by %s', async (_, lines) => {
    expect(await give(lines)).toEqual(['setColor ff0000', 'setColor 0000ff']);
  });

  test('takes lines in any pieces, \\r and \\n far apart', async () => {
    const events: string[] = [];
    for (const octet of 'red\r\nblue\r\n') events.push(...(await give(octet)));
    expect(events).toEqual(['setColor ff0000', 'setColor 0000ff']);
  });

  test('answers nothing, and tells its own output what it does not know', async () => {
    const happened = await unit.give(0, Buffer.from('reddish\r#12345\r'));
    expect(happened.out(0).length).toBe(0);
    expect(happened.events).toEqual(['log 2 setColor.color: wrong-type', 'log 2 setColor.color: wrong-type']);
  });

  test('a line of 512 octets is a line, one of 513 is ignored to its end', async () => {
    expect(await give(`red${' '.repeat(MAX_LINE - 3)}\r`)).toEqual(['setColor ff0000']);
    expect(await give(`red${' '.repeat(MAX_LINE - 2)}\r`)).toEqual([]);
    expect(await give('blue\r')).toEqual(['setColor 0000ff']);
  });

  test('an endless line does nothing and takes no memory; what follows its end is a line', async () => {
    for (let count = 0; count < 50; count += 1) expect(await give('x'.repeat(1_000))).toEqual([]);
    expect(await give('red\rblue\r')).toEqual(['setColor 0000ff']);
  });

  test('half a line at the end of a connection is no value, and none of the next connection', async () => {
    await give('#ff88');
    await unit.do('end 0');
    expect((await unit.loop()).events).toEqual(['closed 0']);
    await unit.do('connect 1');
    expect((await unit.give(1, Buffer.from('red\n'))).events).toEqual(['setColor ff0000']);
  });

  test('what came before an end of stream is applied', async () => {
    await unit.do('end 0');
    expect(await give('red\r')).toEqual(['setColor ff0000', 'closed 0']);
  });

  test('a silent connection is kept while nobody waits, and for 10 s when somebody does', async () => {
    await unit.loop();
    expect((await unit.pass(86_400_000)).events).toEqual([]);
    expect(await give('red\r')).toEqual(['setColor ff0000']);
    await unit.do('connect 1');
    await unit.do('in 1 626c75650d');
    expect((await unit.pass(9_999)).events).toEqual([]);
    expect((await unit.pass(1)).events).toEqual(['closed 0', 'setColor 0000ff']);
  });
});
