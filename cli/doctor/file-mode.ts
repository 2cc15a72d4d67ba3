import { statSync } from 'node:fs';

/** Who may do what with a file. */
export interface FileMode {
  /** `mode 0644`. */
  readonly text: string;
  readonly uid: number;
  readonly isFolder: boolean;
  /** Everybody may read it, or somebody beside its owner may write it. */
  readonly isOpen: boolean;
  /** Its group may read it. */
  readonly isShared: boolean;
}

/** `undefined` where there is no such file, or no modes. */
export function modeOf(path: string, platform: NodeJS.Platform): FileMode | undefined {
  if (platform === 'win32') return undefined;
  try {
    const stats = statSync(path);
    const mode = stats.mode & 0o777;
    return {
      text: `mode ${mode.toString(8).padStart(4, '0')}`,
      uid: stats.uid,
      isFolder: stats.isDirectory(),
      isOpen: (mode & 0o027) !== 0,
      isShared: (mode & 0o050) !== 0,
    };
  } catch {
    return undefined;
  }
}

/** There may be something, in a folder that this user may not look into. */
export function isHidden(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}
