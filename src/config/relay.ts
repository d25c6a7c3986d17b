// The table [relay] as a checked value: each smarthost with the login that [[relay.credentials]] holds for it, each route
// with its hosts. What must fit together there is said with its line.

import type { LoginConfig, RelayConfig, SmarthostConfig } from './config.ts';
import type { Complaint, Place } from './place.ts';
import type { Settings } from './schema.ts';
import { encrypts, fitsPattern } from './smarthost.ts';
import type { Path } from './toml.ts';

type Relay = Settings['relay'];
type Credentials = Relay['credentials'][number];
type Route = Relay['route'][number];

const SECRETS = ['password', 'password_file', 'token_file', 'token_command'] as const;

/** Everything in [relay] that does not fit together; relayOf is for settings without complaints. */
export function complaintsOfRelay(relay: Relay, at: (path: Path) => Place): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (path: Path, text: string) => complaints.push({ place: at(['relay', ...path]), text });
  for (const [index, route] of relay.route.entries()) {
    const wrong = wrongRoute(route);
    if (wrong !== null) complain(['route', index, wrong.key], wrong.text);
  }
  const smarthosts = [...relay.smarthost, ...relay.route.flatMap(({ smarthost = [] }) => smarthost)];
  for (const [index, credentials] of relay.credentials.entries()) {
    const wrong = wrongCredentials(credentials, smarthosts);
    if (wrong !== null) complain(['credentials', index, wrong.key], wrong.text);
  }
  return complaints;
}

function wrongRoute(route: Route): { readonly key: string; readonly text: string } | null {
  if (route.smarthost === undefined || route.smarthost.length === 0) {
    if (route.host !== undefined) return null;
    return {
      key: 'domain',
      text: `the mail of ${route.domain} needs a way: write host = "…", or smarthost = "smtps://…"`,
    };
  }
  const key = (['host', 'port', 'tls'] as const).find((each) => route[each] !== undefined);
  return key === undefined ? null : { key, text: `${key} does not go with smarthost, whose URL says all: remove one` };
}

function wrongCredentials(
  credentials: Credentials,
  smarthosts: readonly SmarthostConfig[],
): { readonly key: string; readonly text: string } | null {
  const { host, mechanism } = credentials;
  const given = SECRETS.filter((each) => credentials[each] !== undefined);
  const [secret] = given;
  if (secret === undefined || given.length > 1) {
    return { key: given[1] ?? 'host', text: `${host} needs one of ${SECRETS.join(', ')}, and only one` };
  }
  const token = secret.startsWith('token');
  if (mechanism !== undefined && token !== (mechanism === 'XOAUTH2')) {
    return { key: 'mechanism', text: `${mechanism} takes ${token ? 'a password, and this is a token' : 'a token'}` };
  }
  const meant = smarthosts.filter((smarthost) => fitsPattern(smarthost.host, host));
  if (meant.length === 0) {
    return { key: 'host', text: `no smarthost is ${host}: name the host that a URL of relay.smarthost has` };
  }
  const clear = meant.find(({ tls, login }) => login === null && !encrypts(tls));
  if (clear === undefined) return null;
  return { key: 'host', text: `${clear.host} would get a password in clear: use smtps://, or smtp:// without ?tls=` };
}

/** @param absolute makes a path absolute */
export function relayOf(relay: Relay, absolute: (path: string) => string): RelayConfig {
  const withLogin = (smarthost: SmarthostConfig): SmarthostConfig => {
    if (smarthost.login !== null) return smarthost;
    const credentials = relay.credentials.find(({ host }) => fitsPattern(smarthost.host, host));
    return credentials === undefined ? smarthost : { ...smarthost, login: loginOf(credentials, absolute) };
  };
  return {
    smarthosts: relay.smarthost.map(withLogin),
    authorities: relay.ca.map(absolute),
    port: relay.port,
    loopback: relay.loopback,
    forbidDowngrade: relay.forbid_downgrade,
    resolvers: relay.resolver.map(({ address, trusted }) => ({ ...address, trusted })),
    routes: relay.route.map(({ domain, host, port = 25, tls = 'opportunistic', smarthost = [] }) =>
      host === undefined ? { domain, smarthosts: smarthost.map(withLogin) } : { domain, host, port, tls },
    ),
    perDestination: relay.per_destination,
    concurrency: relay.concurrency,
  };
}

function loginOf(credentials: Credentials, absolute: (path: string) => string): LoginConfig {
  const { user, mechanism = null, password, password_file, token_file, token_command = [] } = credentials;
  const secretOf = (): LoginConfig['secret'] => {
    if (password !== undefined) return { kind: 'password', text: password };
    if (password_file !== undefined) return { kind: 'password-file', path: absolute(password_file) };
    if (token_file !== undefined) return { kind: 'token-file', path: absolute(token_file) };
    return { kind: 'token-command', command: token_command };
  };
  return { user, mechanism, secret: secretOf() };
}
