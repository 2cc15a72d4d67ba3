import { X509Certificate } from 'node:crypto';
import { readBounded } from '../../base/engine/bounded-file.js';
import { MAX_PEM_OCTETS, problemOfPair } from '../../base/links/certificate-pair.js';
import type { Examination } from './examination.js';
import { modeOf } from './file-mode.js';
import { type Finding, findingsOf } from './finding.js';
import type { NamedPair } from './named-files.js';
import { shellWord } from './shell-word.js';

const found = findingsOf('certificates');

const DAY_MS = 86_400_000;
/** Two weeks: certbot renews 30 days before the end, so by then something is wrong. */
export const EXPIRING_MS = 14 * DAY_MS;

/** Whether each certificate that is configured, and those behind it in its file, is the pair of its key, and valid now. */
export async function checkCertificates({ files, system }: Pick<Examination, 'files' | 'system'>): Promise<Finding[]> {
  if (files.pairs.length === 0) return [found('not-configured', 'certificates', 'the configuration names none')];
  return (await Promise.all(files.pairs.map((pair) => checkPair(pair, system.clock.now(), system.platform)))).flat();
}

async function checkPair({ path, cert, key }: NamedPair, now: number, platform: NodeJS.Platform): Promise<Finding[]> {
  const subjects = { cert: `${path} ${cert}`, key: `${path} ${key}` };
  const [certText, keyText] = await Promise.all([cert, key].map(readPem));
  const unreadable = (
    [
      ['cert', cert, certText],
      ['key', key, keyText],
    ] as const
  ).flatMap(([name, file, text]) =>
    typeof text === 'string'
      ? []
      : [
          found(
            'certificate-unreadable',
            subjects[name],
            `cannot be read: ${text!.message}`,
            `sudo ls -l ${shellWord(file)}`,
          ),
        ],
  );
  const ofMode = modeFinding(subjects.key, key, platform);
  if (typeof certText !== 'string' || typeof keyText !== 'string') return [...unreadable, ...ofMode];
  const problem = problemOfPair({ cert: certText, key: keyText });
  if (problem !== undefined) {
    const file = { cert, key }[problem.of];
    const command =
      problem.of === 'cert'
        ? `openssl x509 -noout -subject -in ${shellWord(file)}`
        : `openssl pkey -noout -in ${shellWord(file)}`;
    return [found('certificate-no-pair', subjects[problem.of], problem.what, command), ...ofMode];
  }
  return [validity(subjects.cert, { cert, key }, certText, now), ...ofMode];
}

/** Of the file's certificates the one that is worst off speaks for all. */
function validity(subject: string, files: Pick<NamedPair, 'cert' | 'key'>, pem: string, now: number): Finding {
  const chain = certificatesIn(pem);
  const firstEnd = chain.reduce((first, each) => (Date.parse(each.validTo) < Date.parse(first.validTo) ? each : first));
  const lastBegin = chain.reduce((last, each) =>
    Date.parse(each.validFrom) > Date.parse(last.validFrom) ? each : last,
  );
  const [from, to] = [Date.parse(lastBegin.validFrom), Date.parse(firstEnd.validTo)];
  const which = (certificate: X509Certificate): string =>
    certificate === chain[0] ? '' : `, of a certificate behind it in the file`;
  const renew = renewing(chain[0]!, files);
  if (now > to)
    return found(
      'certificate-expired',
      subject,
      `ended on ${day(to)}${which(firstEnd)}: nobody trusts it any more`,
      renew,
    );
  if (now < from) {
    const cause = `begins on ${day(from)}${which(lastBegin)}: nobody trusts it yet. Is this machine's clock right? It says ${day(now)}`;
    return found('certificate-early', subject, cause, 'sudo timedatectl set-ntp true');
  }
  const days = Math.floor((to - now) / DAY_MS);
  if (to - now < EXPIRING_MS)
    return found('certificate-expiring', subject, `ends on ${day(to)}${which(firstEnd)}, in ${days} days`, renew);
  return found('certificate-valid', subject, `is valid until ${day(to)}, and the pair of its key`);
}

/** Who signed it must sign it anew. */
function renewing(certificate: X509Certificate, { cert, key }: Pick<NamedPair, 'cert' | 'key'>): string {
  const file = shellWord(cert);
  if (certificate.issuer === certificate.subject)
    return `openssl x509 -in ${file} -signkey ${shellWord(key)} -days 365 -out ${file}.new && mv ${file}.new ${file}`;
  if (/Let's Encrypt/.test(certificate.issuer)) return 'sudo certbot renew';
  return `openssl x509 -noout -issuer -in ${file}`;
}

/** The first is the server's. Called only with what OpenSSL has accepted. */
function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const [first = pem, ...others] = blocks;
  return [first, ...others].map((block) => new X509Certificate(block));
}

function modeFinding(subject: string, key: string, platform: NodeJS.Platform): Finding[] {
  const mode = modeOf(key, platform);
  const mend = `chmod 600 ${shellWord(key)}`;
  if (mode?.isOpen)
    return [found('certificate-key-open', subject, `${mode.text}: every user of this machine may use it`, mend)];
  if (mode?.isShared) return [found('certificate-key-shared', subject, `${mode.text}: its group may read it`, mend)];
  return [];
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

async function readPem(path: string): Promise<string | Error> {
  try {
    return Buffer.from(await readBounded(path, MAX_PEM_OCTETS)).toString('utf8');
  } catch (error) {
    return error as Error;
  }
}
