import { test } from 'vitest';
import { KILLS, killUnderLoad } from '../support/kill-chain.js';

test(
  `killed ${KILLS} times at random instants under load: nothing acknowledged is lost, nothing is invented, every command has one outcome`,
  {
    timeout: KILLS * 12_000,
  },
  () => killUnderLoad('first'),
);
