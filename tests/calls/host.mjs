// A proxy-wasm host for one plugin, which keeps what the plugin asks of it and counts every call in both directions. It
// answers as Envoy does, as far as the plugin asks; what it does not know traps, so that a new call can't go unnoticed.
import { readFileSync } from 'node:fs';

const OK = 0;
const NOT_FOUND = 1;
const REQUEST_HEADERS = 0;
const RESPONSE_HEADERS = 2;
const PLUGIN_CONFIGURATION = 7;
const WARN = 3;

export class Host {
  constructor(path, configuration, { functions = {} } = {}) {
    this.configuration = Buffer.from(JSON.stringify(configuration));
    this.functions = functions;
    this.calls = new Map();
    this.entries = new Map();
    this.shared = new Map();
    this.metrics = 0;
    this.now = BigInt(Date.now()) * 1_000_000n;
    this.log = [];
    const module = new WebAssembly.Module(readFileSync(path));
    const env = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      if (from !== 'env') throw new Error(`the plugin imports from ${from}`);
      const does = this[name]?.bind(this);
      env[name] = (...values) => {
        const what = name.includes('header_map') && values[0] === RESPONSE_HEADERS ? `${name} of the answer` : name;
        this.calls.set(what, (this.calls.get(what) ?? 0) + 1);
        if (!does) throw new Error(`the plugin calls ${name}, which this host does not have`);
        return does(...values);
      };
    }
    this.exports = new WebAssembly.Instance(module, { env }).exports;
    this.contexts = 1;
    this.exports._initialize();
    this.enter('proxy_on_context_create', 1, 0);
    this.started = this.enter('proxy_on_vm_start', 1, 0) === 1 && this.enter('proxy_on_configure', 1, this.configuration.length) === 1;
  }

  // Envoy enters the VM for an event only if the plugin exports its function.
  enter(name, ...values) {
    const handler = this.exports[name];
    if (!handler) return undefined;
    this.entries.set(name, (this.entries.get(name) ?? 0) + 1);
    return handler(...values);
  }

  // One request, from its headers to its end, as Envoy's HTTP filter passes it on: with a response of headers and a body.
  request(headers) {
    this.calls.clear();
    this.entries.clear();
    this.headers = headers.map(([name, value]) => [name, Buffer.from(value)]);
    this.answer = undefined;
    const id = ++this.contexts;
    this.enter('proxy_on_context_create', id, 1);
    this.action = this.enter('proxy_on_request_headers', id, headers.length, 1);
    this.enter('proxy_on_response_headers', id, 1, 0);
    this.enter('proxy_on_response_body', id, 3, 1);
    this.enter('proxy_on_done', id);
    this.enter('proxy_on_log', id);
    this.enter('proxy_on_delete', id);
    return {
      answer: this.answer,
      headers: this.headers.map(([name, value]) => [name, value.toString()]),
      calls: Object.fromEntries(this.calls),
      entries: Object.fromEntries(this.entries),
    };
  }

  tick() {
    this.enter('proxy_on_tick', 1);
  }

  bytes(pointer, length) {
    return Buffer.from(this.exports.memory.buffer, pointer, length);
  }

  text(pointer, length) {
    return this.bytes(pointer, length).toString();
  }

  word(pointer, value) {
    new DataView(this.exports.memory.buffer).setUint32(pointer, value, true);
  }

  give(value, pointer, length) {
    const at = value.length === 0 ? 0 : this.exports.malloc(value.length);
    this.bytes(at, value.length).set(value);
    this.word(pointer, at);
    this.word(length, value.length);
    return OK;
  }

  proxy_get_log_level(level) {
    this.word(level, WARN);
    return OK;
  }

  proxy_log(level, message, length) {
    this.log.push(this.text(message, length));
    return OK;
  }

  proxy_set_tick_period_milliseconds() {
    return OK;
  }

  proxy_get_current_time_nanoseconds(pointer) {
    new DataView(this.exports.memory.buffer).setBigUint64(pointer, this.now, true);
    return OK;
  }

  proxy_get_buffer_bytes(buffer, start, size, pointer, length) {
    if (buffer !== PLUGIN_CONFIGURATION) throw new Error(`buffer ${buffer}`);
    return this.give(this.configuration.subarray(start, start + size), pointer, length);
  }

  proxy_get_header_map_pairs(map, pointer, length) {
    if (map !== REQUEST_HEADERS) throw new Error(`map ${map}`);
    const sizes = Buffer.alloc(4 + 8 * this.headers.length);
    sizes.writeUInt32LE(this.headers.length, 0);
    const texts = [sizes];
    this.headers.forEach(([name, value], index) => {
      sizes.writeUInt32LE(name.length, 4 + 8 * index);
      sizes.writeUInt32LE(value.length, 8 + 8 * index);
      texts.push(Buffer.from(`${name}\0`), value, Buffer.from('\0'));
    });
    return this.give(Buffer.concat(texts), pointer, length);
  }

  // Of an answer's headers, none is there.
  proxy_remove_header_map_value(map, name, length) {
    if (map !== REQUEST_HEADERS) return OK;
    const gone = this.text(name, length);
    this.headers = this.headers.filter(([known]) => known !== gone);
    return OK;
  }

  proxy_replace_header_map_value(map, name, length, value, valueLength) {
    if (map !== REQUEST_HEADERS) return OK;
    const set = this.text(name, length);
    this.headers = this.headers.filter(([known]) => known !== set);
    this.headers.push([set, Buffer.from(this.bytes(value, valueLength))]);
    return OK;
  }

  proxy_set_property() {
    return OK;
  }

  proxy_get_property() {
    return NOT_FOUND;
  }

  proxy_define_metric(kind, name, length, pointer) {
    this.word(pointer, ++this.metrics);
    return OK;
  }

  proxy_increment_metric() {
    return OK;
  }

  proxy_record_metric() {
    return OK;
  }

  proxy_get_shared_data(key, length, pointer, size, number) {
    const known = this.shared.get(this.text(key, length));
    if (!known) return NOT_FOUND;
    this.word(number, known.number);
    return this.give(known.value, pointer, size);
  }

  proxy_set_shared_data(key, length, value, size) {
    const number = (this.shared.get(this.text(key, length))?.number ?? 0) + 1;
    this.shared.set(this.text(key, length), { value: Buffer.from(this.bytes(value, size)), number });
    return OK;
  }

  proxy_call_foreign_function(name, length, value, size, pointer, resultSize) {
    const known = this.functions[this.text(name, length)];
    if (!known) return NOT_FOUND;
    const result = known(Buffer.from(this.bytes(value, size)));
    return result === undefined ? OK : this.give(result, pointer, resultSize);
  }

  proxy_send_local_response(status, details, detailsLength, body, bodyLength) {
    this.answer = { status, body: this.text(body, bodyLength) };
    return OK;
  }
}
