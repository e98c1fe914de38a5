// What a request costs in calls between host and plugin: each takes a good part of a microsecond, so none is to come
// unnoticed. Whoever changes a number here says in the commit what it buys. Run by `make test-calls`.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify, createPublicKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';

import { Host } from './host.mjs';

const PLUGIN = process.env.GATEHOUSE_PLUGIN ?? 'dist/gatehouse.wasm';
const MAX_PLUGIN_BYTES = 2_000_000;

const ed25519 = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEYS = {
  EdDSA: { pair: ed25519, digest: null },
  RS256: { pair: rsa, digest: 'sha256' },
};
const keys = Object.entries(KEYS).map(([alg, { pair }]) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid: alg, alg }));

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

let minted = 0;
function mint(alg, claims = {}) {
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: 'https://issuer.example', sub: 'alice', aud: 'gatehouse', exp: now + 600, jti: `${minted++}`, ...claims };
  const input = `${base64url({ alg, kid: alg, typ: 'at+jwt' })}.${base64url(payload)}`;
  return `${input}.${sign(KEYS[alg].digest, Buffer.from(input), KEYS[alg].pair.privateKey).toString('base64url')}`;
}

function forge(token) {
  const at = token.lastIndexOf('.') + 1;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

const native = {
  providers: {
    issuer: {
      issuer: 'https://issuer.example',
      audiences: ['gatehouse'],
      local_jwks: { inline_string: JSON.stringify({ keys }) },
      claim_to_headers: [{ header_name: 'x-user-id', claim_name: 'sub' }],
    },
  },
  rules: [{ match: { prefix: '/public/' } }, { match: { prefix: '/' }, requires: { provider_name: 'issuer' } }],
};
const gateway = {
  providers: native.providers,
  rules: [{ match: { prefix: '/' }, requires: { provider_name: 'issuer' } }],
  services: {
    bank: { prefix: '/bank/', cluster: 'bank' },
    open: { prefix: '/open/', cluster: 'open', public: true },
  },
  headers: { profile: 'edge' },
};

function request(path, token, ...more) {
  const authorization = token === undefined ? [] : [['authorization', `Bearer ${token}`]];
  return [
    [':authority', 'gate.example'],
    [':path', path],
    [':method', 'GET'],
    [':scheme', 'http'],
    ...authorization,
    ['user-agent', 'test'],
    ['x-request-id', '8e2dcd0f-3f4a-4a3c-a1c6-9d2b7a1d9c11'],
    ...more,
  ];
}

function start(configuration, options) {
  const host = new Host(PLUGIN, configuration, options);
  assert.equal(host.started, true, host.log.join('\n'));
  return host;
}

// Each event that Envoy enters the VM for, once.
const ENTRIES = {
  proxy_on_context_create: 1,
  proxy_on_request_headers: 1,
  proxy_on_response_headers: 1,
  proxy_on_delete: 1,
};
const READ = { proxy_get_header_map_pairs: 1, proxy_get_current_time_nanoseconds: 1 };
const REFUSED = { proxy_get_log_level: 1, proxy_set_property: 1, proxy_send_local_response: 1 };
// The token is taken out of the request, the claim is written into it.
const EDITED = { proxy_remove_header_map_value: 1, proxy_replace_header_map_value: 1 };
// What servers tell about themselves, and the profile `edge` does not let out: unread, since reading costs more.
const ANSWERED = { 'proxy_remove_header_map_value of the answer': 4 };
// A second reading of the clock tells how long the verification took, and a histogram keeps it.
const TIMED = { proxy_get_current_time_nanoseconds: 2, proxy_record_metric: 1 };

function costs(result, calls) {
  assert.deepEqual(result.calls, calls);
  assert.deepEqual(result.entries, ENTRIES);
}

test('only what the gate has something to do for is exported', () => {
  const module = new WebAssembly.Module(readFileSync(PLUGIN));
  const events = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.deepEqual(events.sort(), [
    '_initialize',
    'malloc',
    'memory',
    'proxy_abi_version_0_2_1',
    'proxy_on_configure',
    'proxy_on_context_create',
    'proxy_on_delete',
    'proxy_on_http_call_response',
    'proxy_on_request_headers',
    'proxy_on_request_trailers',
    'proxy_on_response_headers',
    'proxy_on_tick',
    'proxy_on_vm_start',
  ]);
});

test('the plugin stays within its size: V8 compiles all of it before Envoy is ready', () => {
  const { size } = statSync(PLUGIN);
  assert.ok(size <= MAX_PLUGIN_BYTES, `${size} bytes`);
});

for (const alg of Object.keys(KEYS)) {
  test(`a token that is new, and then known: ${alg}`, () => {
    const host = start(native);
    const token = mint(alg);
    for (const calls of [{ ...READ, ...EDITED, ...TIMED }, { ...READ, ...EDITED }, { ...READ, ...EDITED }]) {
      const result = host.request(request('/', token));
      assert.equal(result.answer, undefined);
      assert.deepEqual(result.headers.filter(([name]) => name === 'x-user-id' || name === 'authorization'), [['x-user-id', 'alice']]);
      costs(result, calls);
    }
  });
}

test('without a token, and with a forged one', () => {
  const host = start(native);
  // The counter of a reason is defined when a provider refuses for it the first time.
  host.request(request('/', forge(mint('EdDSA'))));
  host.request(request('/'));
  for (const [token, code, calls] of [
    [undefined, 'token_missing', { ...READ, ...REFUSED }],
    [forge(mint('EdDSA')), 'signature_invalid', { ...READ, ...REFUSED, ...TIMED }],
    [forge(mint('RS256')), 'signature_invalid', { ...READ, ...REFUSED, ...TIMED }],
  ]) {
    const result = host.request(request('/', token));
    assert.equal(JSON.parse(result.answer.body).code, code);
    costs(result, calls);
  }
});

test('where no token is asked for, the headers are read and nothing is written', () => {
  const host = start(native);
  const result = host.request(request('/public/', mint('EdDSA')));
  assert.equal(result.answer, undefined);
  costs(result, READ);
});

test('a claim header that a client sent is taken out where no token is asked for', () => {
  const host = start(native);
  const result = host.request(request('/public/', undefined, ['x-user-id', 'mallory']));
  assert.deepEqual(result.headers.filter(([name]) => name === 'x-user-id'), []);
  costs(result, { ...READ, proxy_remove_header_map_value: 1 });
});

test('a gateway writes the cluster, the path and the timeout besides, and clears the route', () => {
  const host = start(gateway);
  const token = mint('EdDSA');
  host.request(request('/bank/accounts/', token));
  const result = host.request(request('/bank/accounts/', token));
  assert.deepEqual(result.headers.find(([name]) => name === 'x-gatehouse-cluster'), ['x-gatehouse-cluster', 'bank']);
  const { proxy_replace_header_map_value: written, ...others } = result.calls;
  const { proxy_replace_header_map_value: none, ...expected } = { ...READ, ...EDITED, ...ANSWERED, proxy_call_foreign_function: 1 };
  assert.deepEqual(others, expected);
  assert.ok(written <= 4, `${written} headers`);
  assert.deepEqual(result.entries, ENTRIES);
});

test('a public service needs no token and no more than its route', () => {
  const host = start(gateway);
  const { calls, answer, entries } = host.request(request('/open/'));
  assert.equal(answer, undefined);
  const { proxy_replace_header_map_value: written, ...others } = calls;
  assert.deepEqual(others, { ...READ, ...ANSWERED, proxy_call_foreign_function: 1 });
  assert.ok(written <= 3, `${written} headers`);
  assert.deepEqual(entries, ENTRIES);
});

// VerifySignatureArguments, as Envoy reads them, and the answer of its BoringSSL, made by OpenSSL.
function verifySignature(asked) {
  return (bytes) => {
    const fields = {};
    for (let at = 0; at < bytes.length; ) {
      const field = bytes[at++] >> 3;
      let [length, shift] = [0, 0];
      for (;;) {
        const byte = bytes[at++];
        length |= (byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80) break;
      }
      fields[field] = bytes.subarray(at, at + length);
      at += length;
    }
    asked.push(fields[1].toString());
    const key = createPublicKey({ key: fields[2], format: 'der', type: 'spki' });
    const good = verify(fields[1].toString(), fields[4], key, fields[3]);
    return good ? Buffer.from([0x08, 0x01]) : Buffer.from('\x12\x09different');
  };
}

test('a host that verifies is asked once for an RSA token, and never for another', () => {
  const asked = [];
  const host = start(native, { functions: { verify_signature: verifySignature(asked) } });
  assert.deepEqual(asked, ['sha256', 'sha256', 'sha256'], 'it is tried with a good signature and two forgeries');
  const rs256 = host.request(request('/', mint('RS256')));
  assert.equal(rs256.answer, undefined);
  costs(rs256, { ...READ, ...EDITED, ...TIMED, proxy_call_foreign_function: 1 });
  assert.equal(JSON.parse(host.request(request('/', forge(mint('RS256')))).answer.body).code, 'signature_invalid');
  assert.equal(asked.length, 5);
  costs(host.request(request('/', mint('EdDSA'))), { ...READ, ...EDITED, ...TIMED });
  assert.equal(asked.length, 5);
});

// Hosts whose function is broken in one way or another: none of them makes a forgery pass or a good token fail.
const BROKEN = {
  'accepts everything': () => Buffer.from([0x08, 0x01]),
  'refuses everything': () => Buffer.from([0x12, 0x01, 0x78]),
  'says nothing': () => undefined,
  'says yes in another encoding': (right) => (right ? Buffer.from([0x08, 0x81, 0x00]) : Buffer.alloc(0)),
  'says yes and more': (right) => (right ? Buffer.from([0x08, 0x01, 0x12, 0x00]) : Buffer.alloc(0)),
  'says yes to what is refused elsewhere': (right) => (right ? Buffer.alloc(0) : Buffer.from([0x08, 0x01])),
};
for (const [how, answer] of Object.entries(BROKEN)) {
  test(`a host whose function ${how} is not asked about tokens`, () => {
    const asked = [];
    const right = verifySignature(asked);
    const host = start(native, { functions: { verify_signature: (bytes) => answer(right(bytes).length === 2) } });
    const tried = asked.length;
    assert.equal(host.request(request('/', mint('RS256'))).answer, undefined);
    assert.equal(JSON.parse(host.request(request('/', forge(mint('RS256')))).answer.body).code, 'signature_invalid');
    assert.equal(asked.length, tried);
  });
}

test('a host whose function breaks after it proved to work is done without', () => {
  const asked = [];
  const right = verifySignature(asked);
  const answers = [Buffer.alloc(0), Buffer.from([0x08, 0x00]), Buffer.from([0x08, 0x01, 0x00]), Buffer.from([0x12, 0x01, 0x78]), undefined];
  for (const answer of answers) {
    let broken = false;
    const host = start(native, { functions: { verify_signature: (bytes) => (broken ? answer : right(bytes)) } });
    broken = true;
    assert.equal(host.request(request('/', mint('RS256'))).answer, undefined);
    assert.equal(JSON.parse(host.request(request('/', forge(mint('RS256')))).answer.body).code, 'signature_invalid');
  }
});

test('a host whose function is turned off is never asked', () => {
  const asked = [];
  const configuration = { ...native, verification: { host_function: 'off' } };
  const host = start(configuration, { functions: { verify_signature: verifySignature(asked) } });
  assert.equal(host.request(request('/', mint('RS256'))).answer, undefined);
  assert.deepEqual(asked, []);
});
