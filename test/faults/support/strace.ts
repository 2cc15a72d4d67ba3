import { execFileSync } from 'node:child_process';

/** Whether strace can look at processes here; a sandbox may forbid it. */
export function canTrace(): boolean {
  try {
    execFileSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=openat', '-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
