/** How it stands with what was looked at. `skipped`: it was not looked at, and the cause says why. */
export type FindingStatus = 'ok' | 'warning' | 'problem' | 'skipped';

/**
 * Every finding, by the check that makes it, with its status; checks in the order in which they are told. `docs/doctor.md` has a line for each; a test holds it to
 * this list.
 */
export const findings = {
  node: { 'node-current': 'ok', 'node-old': 'problem' },
  configuration: {
    'configuration-valid': 'ok',
    'configuration-absent': 'skipped',
    'configuration-unreadable': 'problem',
    'configuration-invalid': 'problem',
    'secret-unset': 'problem',
    'configuration-warning': 'warning',
    'definition-broken': 'problem',
  },
  base: { 'base-runs': 'ok', 'base-stopped': 'skipped', 'base-silent': 'problem' },
  ports: {
    'port-free': 'ok',
    'port-of-base': 'ok',
    'port-any': 'ok',
    'port-taken': 'problem',
    'port-forbidden': 'problem',
    'port-address-foreign': 'problem',
    'port-host-unknown': 'problem',
    'port-refused': 'problem',
  },
  files: {
    'file-private': 'ok',
    'file-later': 'skipped',
    'file-open': 'problem',
    'file-shared': 'warning',
    'file-unreadable': 'problem',
    'file-foreign': 'warning',
  },
  certificates: {
    'certificate-valid': 'ok',
    'certificate-unreadable': 'problem',
    'certificate-no-pair': 'problem',
    'certificate-early': 'problem',
    'certificate-expiring': 'warning',
    'certificate-expired': 'problem',
    'certificate-key-open': 'problem',
    'certificate-key-shared': 'warning',
  },
  store: {
    'store-ready': 'ok',
    'store-later': 'ok',
    'store-of-base': 'ok',
    'store-library': 'problem',
    'store-unwritable': 'problem',
    'store-foreign': 'problem',
    'store-newer': 'problem',
    'store-held': 'problem',
    'store-space-low': 'warning',
    'store-space-out': 'problem',
    'store-medium': 'warning',
  },
  clock: {
    'clock-right': 'ok',
    'clock-unsynchronised': 'warning',
    'clock-unknown': 'skipped',
    'clock-year': 'problem',
    'clock-off': 'problem',
    'clock-behind-store': 'problem',
  },
  pusher: {
    'pusher-reached': 'ok',
    'pusher-own-hub': 'skipped',
    'pusher-unreachable': 'problem',
    'pusher-certificate': 'problem',
    'pusher-refused': 'problem',
    'pusher-authorised': 'ok',
    'pusher-auth-unreachable': 'problem',
    'pusher-auth-refused': 'problem',
    'pusher-auth-useless': 'problem',
    'pusher-auth-other-app': 'problem',
    'pusher-api-answers': 'ok',
    'pusher-api-unreachable': 'problem',
    'pusher-api-refused': 'problem',
  },
  webhooks: {
    'webhook-reached': 'ok',
    'webhook-redirects': 'warning',
    'webhook-failing': 'warning',
    'webhook-name-unknown': 'problem',
    'webhook-private': 'problem',
    'webhook-unreachable': 'problem',
    'webhook-certificate': 'problem',
  },
  serial: {
    'serial-usable': 'ok',
    'serial-absent': 'skipped',
    'serial-group': 'warning',
    'serial-forbidden': 'problem',
    'serial-login-old': 'problem',
    'serial-unplugged': 'warning',
  },
  platformio: { 'platformio-found': 'ok', 'platformio-absent': 'warning', 'platformio-broken': 'warning' },
  discovery: {
    'avahi-runs': 'ok',
    'avahi-absent': 'warning',
    'avahi-stopped': 'warning',
    'mdns-package': 'ok',
    'mdns-package-absent': 'warning',
    'local-names-unresolved': 'warning',
  },
  service: {
    'service-active': 'ok',
    'service-absent': 'skipped',
    'service-no-systemd': 'skipped',
    'service-disabled': 'warning',
    'service-stopped': 'warning',
    'service-failed': 'problem',
  },
  /** Of any check. */
  any: {
    'not-configured': 'skipped',
    'needs-configuration': 'skipped',
    'not-allowed': 'skipped',
    'check-failed': 'warning',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, FindingStatus>>>>;

type ByCheck = typeof findings;
export type CheckName = Exclude<keyof ByCheck, 'any'>;
type CodesOf<C extends keyof ByCheck> = Extract<keyof ByCheck[C], string>;
/** The findings that a check can make. */
export type FindingCode<C extends CheckName = CheckName> = C extends CheckName ? CodesOf<C> | CodesOf<'any'> : never;

/** One thing that was looked at. No text in it holds a secret. */
export interface Finding {
  readonly check: CheckName;
  readonly finding: FindingCode;
  readonly status: FindingStatus;
  /** What was looked at: `http.listen 127.0.0.1:8889`. */
  readonly subject: string;
  /** How it is, and why. */
  readonly cause: string;
  /** The command that mends it; absent where nothing is to be mended. */
  readonly mend?: string;
}

/** Makes the findings of one check. */
export type Found<C extends CheckName> = (
  finding: FindingCode<C>,
  subject: string,
  cause: string,
  mend?: string,
) => Finding;

/** For a check to make its findings with. */
export function findingsOf<C extends CheckName>(check: C): Found<C> {
  const statuses: Readonly<Record<string, FindingStatus>> = { ...findings.any, ...findings[check] };
  return (finding, subject, cause, mend) => ({
    check,
    finding,
    status: statuses[finding]!,
    subject,
    cause,
    ...(mend === undefined ? {} : { mend }),
  });
}
