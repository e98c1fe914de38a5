// The kernels against the crates, in V8: node bench/kernels/run.mjs PATH/kernel_bench.wasm [ROUNDS]
//
// Keys and signatures are made here, so OpenSSL vouches for what both sides must accept. Sides run in turns, in bursts of
// a few milliseconds; the table has the median of the bursts and, since other work on the machine only ever adds time,
// the fastest one. Quote the ratios.
import { readFileSync } from 'node:fs';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { cpus } from 'node:os';

const [path, rounds = 60] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(path), {});
const wasm = instance.exports;

const message = Buffer.alloc(400, 'eyJhbGciOiJSUzI1NiJ9');

function operation(kind, fields) {
  for (const field of fields) {
    wasm.begin_field();
    for (const byte of field) wasm.add_byte(byte);
  }
  return wasm.make_operation(kind);
}

const bytes = (text) => Buffer.from(text, 'base64url');

function rsa(bits) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const { n, e } = publicKey.export({ format: 'jwk' });
  return [bytes(n), bytes(e), message, sign('sha256', message, privateKey)];
}

function p256() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  return [bytes(x), bytes(y), message, sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })];
}

function ed25519() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return [bytes(publicKey.export({ format: 'jwk' }).x), [], message, sign(null, message, privateKey)];
}

// Name, number of the crate's operation and of the kernel's, several keys so that no branch learns one signature.
const keys = (make) => Array.from({ length: 4 }, make);
const cases = [
  ['RSA-2048 verify', 0, 1, keys(() => rsa(2048))],
  ['RSA-3072 verify', 0, 1, keys(() => rsa(3072))],
  ['RSA-4096 verify', 0, 1, keys(() => rsa(4096))],
  ['P-256 verify', 2, 3, keys(p256)],
  ['Ed25519 verify', 4, 5, keys(ed25519)],
  ['RSA-2048 key', 6, 7, keys(() => rsa(2048))],
  ['P-256 key', 8, 9, keys(p256)],
  ['Ed25519 key', 10, 11, keys(ed25519)],
  ['SHA-256, 400 bytes', 12, null, keys(p256)],
];

function burst(operations, times) {
  const began = performance.now();
  let good = 0;
  for (const operation of operations) good += wasm.run(operation, times);
  const micros = ((performance.now() - began) * 1000) / (times * operations.length);
  if (good !== times * operations.length) throw new Error(`${times * operations.length - good} refused`);
  return micros;
}

function refusesForgeries(kind, keyed) {
  const [first, second, , signature] = keyed;
  const other = createHash('sha256').update(message).digest();
  if (wasm.run(operation(kind, [first, second, other, signature]), 1) !== 0) throw new Error(`${kind} took a forgery`);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

console.log(`V8 ${process.versions.v8} (Node ${process.versions.node}), ${cpus()[0].model.trim()}, ${rounds} rounds`);
console.log('microseconds          crate median  fastest   kernel median  fastest   ratio of medians');
for (const [name, crate, kernel, keyed] of cases) {
  const sides = [crate, kernel].filter((kind) => kind !== null);
  if (name.endsWith('verify')) sides.forEach((kind) => refusesForgeries(kind, keyed[0]));
  const operations = sides.map((kind) => keyed.map((fields) => operation(kind, fields)));
  const times = operations.map((side) => {
    // The second tier compiles what has run for a while.
    const until = performance.now() + 400;
    let micros;
    do micros = burst(side, 1); while (performance.now() < until);
    return Math.max(1, Math.round(3000 / side.length / micros));
  });
  const results = operations.map(() => []);
  for (let round = 0; round < rounds; round++) {
    operations.forEach((side, place) => results[place].push(burst(side, times[place])));
  }
  const columns = results.map((side) => `${median(side).toFixed(1).padStart(12)} ${Math.min(...side).toFixed(1).padStart(8)}`);
  const ratio = results.length === 2 ? `   ${(median(results[0]) / median(results[1])).toFixed(2)}` : '';
  console.log(`${name.padEnd(20)} ${columns.join('   ')}${ratio}`);
}
