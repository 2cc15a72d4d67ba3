import type { Command } from 'commander';
import { exitCodes } from './exit-codes.js';
import { print, printJson } from './terminal.js';

/** `baseunit doctor`: what is wrong with this machine and its configuration, and what mends it. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look for what is wrong with this machine and its configuration, and say what mends it')
    .option('-c, --config <file>', 'the configuration file; default: base.json, if it is there')
    .action(async ({ config }: { config?: string }) => {
      const isJson = program.opts<{ json?: boolean }>().json === true;
      // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
      const [{ beginChecks }, { findingText, summaryText }, { examine }, { showProgress }, { thisSystem }] =
        await Promise.all([
          import('./doctor/checks.js'),
          import('./doctor/doctor-report.js'),
          import('./doctor/examination.js'),
          import('./doctor/progress.js'),
          import('./doctor/system.js'),
        ]);
      const checks = beginChecks(await examine({ system: thisSystem(), config }));
      const progress = showProgress(checks);
      const all = [];
      for (const { findings } of checks) {
        for (const finding of await findings) {
          all.push(finding);
          progress.clear();
          if (isJson) printJson(finding);
          else print(findingText(finding));
        }
        progress.draw();
      }
      progress.clear();
      if (!isJson) print(`\n${summaryText(all)}`);
      process.exitCode = all.some(({ status }) => status === 'problem') ? exitCodes.failed : exitCodes.ok;
    });
}
