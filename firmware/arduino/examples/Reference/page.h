// The page of configure mode: complete in itself, for there is no network beside it. It knows no
// rule of its own: what is wrong with a setting the board says (portal.cpp).
#pragma once

#include <Arduino.h>

static const char kPage[] PROGMEM = R"page(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>espseal: configure</title>
<link rel="icon" href="data:,">
<style>
:root{--back:#f3f5f8;--card:#fff;--text:#1b2330;--soft:#566173;--line:#78828f;--rule:#d9dee5;--link:#0b5cbd;--on:#fff;--bad:#b3261e;--badback:#fdecea;--good:#1b6b38}
@media (prefers-color-scheme:dark){:root{--back:#10141a;--card:#1a2029;--text:#e8ecf2;--soft:#a8b2c0;--line:#7d8897;--rule:#2f3845;--link:#8dbaff;--on:#0c1522;--bad:#ffa198;--badback:#3a1c1c;--good:#8fd6a6}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0 auto;padding:0 12px 24px;max-width:40rem;background:var(--back);color:var(--text);font:16px/1.45 system-ui,sans-serif}
h1{font-size:1.35rem;margin:16px 0 8px}
h2{font-size:1.1rem;margin:0 0 8px}
fieldset,details,.card{margin:0 0 14px;padding:12px 14px;border:1px solid var(--rule);border-radius:10px;background:var(--card);min-width:0}
legend{font-weight:600;padding:0 6px;margin-left:-6px}
summary{font-weight:600;cursor:pointer;padding:4px 0}
label{display:block;margin:10px 0 3px}
label.tick{display:flex;gap:10px;align-items:center;min-height:44px;margin:4px 0}
input:not([type=checkbox]),select,textarea{width:100%;min-height:44px;padding:9px 10px;border:1px solid var(--line);border-radius:7px;background:var(--back);color:inherit;font:inherit}
input[type=checkbox]{width:22px;height:22px;flex:none}
textarea{min-height:96px;font:16px/1.3 monospace}
::placeholder{color:var(--soft);opacity:1}
.code{font-family:monospace!important}
:focus-visible{outline:3px solid var(--link);outline-offset:1px}
[aria-invalid=true]{border:2px solid var(--bad)!important}
small,.soft{color:var(--soft);font-size:.86rem}
small{display:block;margin-top:3px}
.bad{display:block;margin-top:4px;color:var(--bad);font-weight:600;font-size:.92rem}
.alert{padding:10px 12px;margin:8px 0 14px;border-radius:8px;background:var(--badback);color:var(--bad);font-weight:600}
dl{display:grid;grid-template-columns:auto 1fr;gap:3px 14px;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
button{width:100%;min-height:48px;margin:0 0 10px;border:1px solid var(--link);border-radius:8px;background:none;color:var(--link);font:inherit;font-weight:600;cursor:pointer}
button.main{background:var(--link);color:var(--on)}
button:disabled{opacity:.6}
.good{color:var(--good)}
</style>
</head>
<body>
<h1>Configure this board</h1>
<noscript><p class="alert">This page needs JavaScript.</p></noscript>
<main>
<section class="card" aria-labelledby="board">
<h2 id="board">This board</h2>
<dl>
<dt>State</dt><dd id="state">…</dd>
<dt>Mode</dt><dd id="mode">…</dd>
<dt>Address</dt><dd id="is_address" class="code">…</dd>
<dt>Epoch</dt><dd id="is_epoch">…</dd>
<dt>MAC</dt><dd id="mac" class="code">…</dd>
<dt>Sketch</dt><dd id="version">…</dd>
<dt>Free heap</dt><dd id="heap">…</dd>
<dt>Back to run</dt><dd><span id="left" role="timer">…</span></dd>
</dl>
</section>
<form id="form" autocomplete="off" novalidate>
<p id="alert" class="alert" role="alert" hidden></p>
<details id="file">
<summary>Fill in from a provisioning file</summary>
<p class="soft">What <span class="code">espseal provision NAME --format json</span> wrote. It stays in this browser until you save.</p>
<label for="json_file">Choose the file</label><input id="json_file" type="file" accept=".json,application/json">
<label for="json_text">or paste it</label><textarea id="json_text" spellcheck="false" autocapitalize="none"></textarea>
<p><button type="button" id="fill">Fill in</button></p>
<p id="filled" class="good" role="status"></p>
</details>
<label class="tick"><input type="checkbox" id="show">Show passwords and keys as I type</label>
<fieldset><legend>Device</legend>
<label for="name">Name</label><input id="name" autocapitalize="none" spellcheck="false"><small>For people. The board prints it when it starts.</small>
</fieldset>
<fieldset><legend>Wi-Fi</legend>
<label for="wifi_ssid">Name of the network (SSID)</label><input id="wifi_ssid" autocapitalize="none" spellcheck="false">
<label for="wifi_password">Password</label><input id="wifi_password" type="password" autocomplete="new-password">
<label for="addressing">IP address</label><select id="addressing"><option value="dhcp">From the router (DHCP)</option><option value="static">Fixed</option></select>
<div data-when="addressing=static">
<label for="ip_address">Address of the board</label><input id="ip_address" inputmode="decimal" placeholder="192.168.1.50">
<label for="ip_gateway">Gateway</label><input id="ip_gateway" inputmode="decimal" placeholder="192.168.1.1">
<label for="ip_mask">Network mask</label><input id="ip_mask" inputmode="decimal" placeholder="255.255.255.0">
<label for="ip_dns">DNS server</label><input id="ip_dns" inputmode="decimal" placeholder="192.168.1.1">
</div>
</fieldset>
<fieldset><legend>Broker</legend>
<label for="mqtt_host">Host name or IP address</label><input id="mqtt_host" inputmode="url" autocapitalize="none" spellcheck="false">
<label for="mqtt_port">Port</label><input id="mqtt_port" inputmode="numeric">
<label for="mqtt_user">User name</label><input id="mqtt_user" autocapitalize="none" spellcheck="false"><small>Empty: the broker wants none.</small>
<label for="mqtt_password">Password</label><input id="mqtt_password" type="password" autocomplete="new-password">
</fieldset>
<fieldset><legend>Transport</legend>
<label for="transport">To the broker</label><select id="transport">
<option value="plain">Plain TCP</option>
<option value="fingerprint">TLS, SHA-1 fingerprint of the certificate</option>
<option value="public_key">TLS, public key of the broker</option>
<option value="ca">TLS, certificate of the CA</option>
<option value="insecure">TLS, any certificate (insecure)</option></select>
<small>Readings and commands are sealed in each.</small>
<div data-when="transport=fingerprint"><label for="tls_fingerprint">Fingerprint, 40 hex digits</label><input id="tls_fingerprint" class="code" autocapitalize="none" spellcheck="false"><small>Changes whenever the certificate is renewed.</small></div>
<div data-when="transport=public_key"><label for="tls_public_key">Public key, PEM or base64</label><textarea id="tls_public_key" spellcheck="false" autocapitalize="none"></textarea><small>Stays when a certificate is renewed with the same key.</small></div>
<div data-when="transport=ca"><label for="tls_ca">CA certificate, PEM or base64</label><textarea id="tls_ca" spellcheck="false" autocapitalize="none"></textarea>
<label for="ntp_server">Time server (NTP)</label><input id="ntp_server" inputmode="url" autocapitalize="none" spellcheck="false"><small>Whether a certificate is valid depends on the date.</small></div>
<div data-when="transport=insecure"><p class="alert">Whoever is on the way can pretend to be the broker, and read its password. The board warns at each start.</p>
<label for="confirm">Type <b>insecure</b> to confirm</label><input id="confirm" autocapitalize="none" spellcheck="false"></div>
</fieldset>
<fieldset><legend>Topics</legend>
<label for="up_topic">Readings (up)</label><input id="up_topic" autocapitalize="none" spellcheck="false">
<label for="hello_topic">Hello</label><input id="hello_topic" autocapitalize="none" spellcheck="false">
<label for="down_topic">Commands (down)</label><input id="down_topic" autocapitalize="none" spellcheck="false">
<label for="beacon_topic">Beacon of the host</label><input id="beacon_topic" autocapitalize="none" spellcheck="false">
<small>{mac} and {address} stand for those of the board.</small>
</fieldset>
<fieldset><legend>Keys</legend>
<label for="address">Address, 16 hex digits</label><input id="address" class="code" autocapitalize="none" spellcheck="false">
<label for="device_key">Device key, 64 hex digits</label><input id="device_key" class="code" type="password" autocomplete="new-password">
<label for="epoch">Epoch of this key</label><input id="epoch" inputmode="numeric"><small>Goes with a new key. Empty: 0.</small>
</fieldset>
<fieldset><legend>Sensor</legend>
<label for="interval">A reading every … seconds</label><input id="interval" inputmode="numeric">
</fieldset>
<button class="main" id="save">Save, and run</button>
<button type="button" id="run">Back to run, nothing saved</button>
</form>
<section class="card" id="after" tabindex="-1" hidden><h2 id="after_title"></h2><p id="after_text"></p></section>
</main>
<script>
'use strict';
const $ = id => document.getElementById(id);
const KEEP = 'Is set; empty keeps it.';
const BACK = 'To come back: hold FLASH for 3 s, or press reset twice within 4 s.';
let names = [], secrets = [], end = 0, stayed = 0, gone = false;

async function ask(method, path, body) {
  const answer = await fetch(path, {method, body, headers: {'X-Espseal': '1'}});
  const text = await answer.text();
  let said = {};
  try { said = JSON.parse(text); } catch (error) { said = {problems: {'': text}}; }
  return {status: answer.status, said};
}

function arrange() {
  for (const part of document.querySelectorAll('[data-when]')) {
    const [name, value] = part.dataset.when.split('=');
    part.hidden = $(name).value !== value;
  }
  $('mqtt_port').placeholder = $('transport').value === 'plain' ? 1883 : 8883;
}

function forget(element) {
  const old = $(element.id + '_problem');
  if (old) old.remove();
  element.removeAttribute('aria-invalid');
  element.removeAttribute('aria-describedby');
}

function blame(element, sentence) {
  forget(element);
  const note = document.createElement('span');
  note.className = 'bad';
  note.id = element.id + '_problem';
  note.textContent = sentence;
  element.after(note);
  element.setAttribute('aria-invalid', 'true');
  element.setAttribute('aria-describedby', note.id);
  for (let part = element.parentElement; part; part = part.parentElement) {
    if (part.dataset && part.dataset.when) part.hidden = false;
  }
}

function alarm(sentence) {
  $('alert').textContent = sentence;
  $('alert').hidden = !sentence;
}

function show(problems) {
  let first = null;
  const others = [];
  for (const [name, sentence] of Object.entries(problems)) {
    const element = names.includes(name) || name === 'confirm' ? $(name) : null;
    if (!element) { others.push(sentence); continue; }
    blame(element, sentence);
    if (!first || element.compareDocumentPosition(first) & 4) first = element;
  }
  const count = document.querySelectorAll('[aria-invalid=true]').length;
  if (count) others.unshift(count === 1 ? 'One input needs a change.' : count + ' inputs need a change.');
  alarm(others.join(' '));
  if (first) first.focus();
  else $('alert').scrollIntoView({block: 'center'});
}

function tell(title, text) {
  gone = true;
  $('form').hidden = true;
  $('after').hidden = false;
  $('after_title').textContent = title;
  $('after_text').textContent = text;
  $('left').textContent = 'it restarts';
  $('after').focus();
}

function tick() {
  if (gone || !end) return;
  const left = Math.max(0, Math.round((end - Date.now()) / 1000));
  $('left').textContent = 'in ' + Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0');
  if (!left) tell('The time is over', 'The board went back to run; nothing was saved. ' + BACK);
}

function know(said) { end = Date.now() + said.seconds * 1000; tick(); }

async function load() {
  const {status, said} = await ask('GET', 'state');
  if (status !== 200) return show(said.problems);
  for (const name of ['state', 'mode', 'mac', 'version']) $(name).textContent = said[name];
  $('is_address').textContent = said.address || 'none';
  $('is_epoch').textContent = said.address ? said.epoch : 'none';
  $('heap').textContent = said.heap + ' bytes';
  names = Object.keys(said.fields);
  for (const [name, field] of Object.entries(said.fields)) {
    const element = $(name);
    if (!element) continue;
    if (field.secret) {
      secrets.push(name);
      if (field.set) keep(element, name !== 'device_key');
    } else {
      if (field.value) element.value = field.value;
      if (field.initial && element.tagName === 'INPUT') element.placeholder = field.initial;
    }
  }
  if ($('ip_address').value) $('addressing').value = 'static';
  if ($('transport').value === 'insecure') $('confirm').value = 'insecure';
  arrange();
  know(said);
}

function keep(element, removable) {
  element.placeholder = KEEP;
  if (!removable) return;
  const label = document.createElement('label'), box = document.createElement('input');
  label.className = 'tick';
  box.type = 'checkbox';
  box.id = element.id + '_gone';
  label.append(box, 'Take it away');
  element.after(label);
}

// As the board stores it: PEM, colons and blanks are for people.
function tidy(name, value) {
  if (name === 'tls_fingerprint') return value.replace(/[\s:]/g, '');
  if (name === 'tls_ca' || name === 'tls_public_key') return value.replace(/-----[^-]*-----/g, '').replace(/\s/g, '');
  if (secrets.includes(name)) return value;
  return value.trim();
}

function lines() {
  let text = '';
  for (const name of names) {
    const value = tidy(name, $(name).value);
    if (name.startsWith('ip_') && $('addressing').value === 'dhcp') { text += name + '=\n'; continue; }
    if (secrets.includes(name) || name === 'epoch') {
      const away = $(name + '_gone');
      if (value) text += name + '=' + value + '\n';
      else if (away && away.checked) text += name + '=\n';
    } else {
      text += name + '=' + value + '\n';
    }
  }
  if ($('transport').value === 'insecure') text += 'confirm=' + $('confirm').value.trim() + '\n';
  return text;
}

function fill(text) {
  const box = $('json_text');
  forget(box);
  $('filled').textContent = '';
  let file;
  try { file = JSON.parse(text); } catch (error) { file = null; }
  if (!file || typeof file !== 'object' || Array.isArray(file)) return blame(box, 'This is no JSON. Take the whole file.');
  if (file.version !== 1) return blame(box, 'This is no provisioning file of version 1.');
  let count = 0;
  for (const name of names) {
    if (!(name in file) || !$(name)) continue;
    forget($(name));
    $(name).value = file[name];
    count++;
  }
  if (file.ip_address) $('addressing').value = 'static';
  box.value = '';
  arrange();
  $('filled').textContent = count + ' inputs are filled in. Look at them, then save.';
}

$('fill').onclick = () => fill($('json_text').value);
$('json_file').onchange = async event => { const file = event.target.files[0]; if (file) fill(await file.text()); };
$('show').onchange = () => { for (const name of secrets) $(name).type = $('show').checked ? 'text' : 'password'; };
$('form').oninput = event => {
  forget(event.target);
  arrange();
  if (Date.now() - stayed > 20000) {
    stayed = Date.now();
    ask('POST', 'stay').then(answer => { if (answer.status === 200) know(answer.said); }, () => {});
  }
};
$('form').onsubmit = async event => {
  event.preventDefault();
  $('save').disabled = true;
  try {
    const {status, said} = await ask('POST', 'settings', lines());
    for (const element of document.querySelectorAll('[aria-invalid]')) forget(element);
    alarm('');
    if (status === 200) tell('Saved', 'The board (' + said.saved + ') restarts now, closes this access point and joins ' + $('wifi_ssid').value + '. Its readings show in: espseal listen. ' + BACK);
    else show(said.problems);
  } catch (error) {
    alarm('The board does not answer. Is this device still in its network?');
  }
  $('save').disabled = false;
};
$('run').onclick = async () => {
  try {
    const {status, said} = await ask('POST', 'run');
    if (status === 200) tell('Back to run', 'The board restarts now; nothing was saved. ' + BACK);
    else show(said.problems);
  } catch (error) {
    alarm('The board does not answer. Is this device still in its network?');
  }
};
setInterval(tick, 1000);
load().catch(() => alarm('The board does not answer. Load this page again.'));
</script>
</body>
</html>
)page";
