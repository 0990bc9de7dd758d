// Shows status.json, asked for every two seconds. Names in it come from clients: they become text
// nodes, never markup.
'use strict';

const period = 2000;
const $ = (id) => document.getElementById(id);

// Numbers as people read them: 1,234 and 1.23 M; 12.3 kB.
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const count = (n) => (n < 100000 ? whole.format(n) : short.format(n));
const rate = (n) => (n > 0 && n < 10 ? n.toFixed(1) : count(n));
const bytes = (n) => {
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (n < 1000 || unit === 'GB') return `${n < 10 && unit !== 'B' ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1024;
  }
};
const milliseconds = (ms) => (ms === null || ms === undefined ? '–' : ms < 1 ? '< 1 ms' : ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const atMost = (ms) => (ms === null ? '–' : `≤${ms < 1 ? ms.toFixed(2) : ms < 1000 ? Math.round(ms * 10) / 10 : ms / 1000}${ms < 1000 ? ' ms' : ' s'}`);
const span = (s) => {
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const i = parts.findIndex(([size]) => s >= size);
  if (i < 0) return '0 s';
  const [size, unit] = parts[i];
  const [next, lower] = parts[i + 1] ?? [];
  const rest = next && Math.floor((s % size) / next);
  return `${Math.floor(s / size)} ${unit}${rest ? ` ${rest} ${lower}` : ''}`;
};

const set = (id, text, bad = false) => {
  const e = $(id);
  if (e.textContent !== String(text)) e.textContent = text;
  e.classList.toggle('bad', bad);
};
const element = (tag, ...children) => {
  const e = document.createElement(tag);
  e.append(...children);
  return e;
};
const row = (...cells) => element('tr', ...cells.map((text) => element('td', String(text))));

/** Draws a series as a line over its area; gaps where there is no value. */
function draw(svg, values, label) {
  const slots = 150;
  const [width, height] = [300, 60];
  const top = Math.max(...values.map((v) => v ?? 0), 1e-9) * 1.08;
  const x = (i) => width - ((values.length - 1 - i) * width) / (slots - 2);
  const y = (v) => height - (v / top) * height;
  let line = '';
  let area = '';
  let begun = null;
  const finish = (i) => {
    if (begun !== null) area += `L${x(i).toFixed(1)} ${height}L${x(begun).toFixed(1)} ${height}Z`;
    begun = null;
  };
  values.forEach((v, i) => {
    if (v === null) return finish(i - 1);
    const point = `${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    line += (begun === null ? 'M' : 'L') + point;
    area += (begun === null ? 'M' : 'L') + point;
    if (begun === null) begun = i;
  });
  finish(values.length - 1);
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  const path = (kind, d) => {
    const e = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    e.setAttribute('class', kind);
    e.setAttribute('d', d);
    return e;
  };
  svg.replaceChildren(path('base', `M0 ${height}H${width}`), path('area', area), path('line', line));
  if (!svg.parentElement.classList.contains('graph')) {
    const graph = element('div');
    graph.className = 'graph';
    svg.replaceWith(graph);
    graph.append(svg, element('span'));
  }
  svg.nextElementSibling.textContent = label;
}

function showRedis(r) {
  for (const e of [$('redis'), document.querySelector('[data-series=lagMS]')]) e.toggleAttribute('hidden', !r);
  if (!r) {
    set('instances', '1');
    set('joined', 'instance, without Redis');
    return;
  }
  // Alone, but not by design: a number would read as one instance that has joined.
  set('instances', r.joined ? r.instances : '–');
  set('joined', r.joined ? `instance${r.instances === 1 ? '' : 's'}, joined for ${span(r.sinceS)}` : `not joined for ${span(r.sinceS)}`, !r.joined);
  set('lag', r.joined ? milliseconds(r.lagMS) : '–');
  set('lagP99', atMost(r.lag.p99));
  set('publishedPS', `${rate(r.publishedPS)}/s`);
  set('redisReceivedPS', `${rate(r.receivedPS)}/s`);
  set('queued', count(r.queued), r.queued > 1000);
  set('lost', count(r.lost), r.lost > 0);
  set('rejected', count(r.rejected), r.rejected > 0);
  set('gaps', count(r.gaps), r.gaps > 0);
  $('redis').title = r.lastError && `last error: ${r.lastError}`;
}

/** Lets the words of a label lead to their explanation, where there is one: by a tap, or by pointing at them. */
function explained(label) {
  const entry = $(`word-${label.textContent.toLowerCase().replaceAll(' ', '-')}`);
  if (entry && !$('words').contains(label)) {
    const link = element('a', ...label.childNodes);
    link.href = `#${entry.id}`;
    link.title = entry.querySelector('dd').textContent;
    link.tabIndex = -1; // by keyboard, all of them are one stop away
    link.onclick = () => ($('words').open = true);
    label.append(link);
  }
  return label;
}

/** The cells of a direction; empty if there never was anything. */
const some = (all, ps) => (all === 0 ? ['', ''] : [rate(ps), count(all)]);

function showTables(s) {
  $('events').tBodies[0].replaceChildren(...s.namespaces.flatMap((n) =>
    (n.events?.length ? n.events : [null]).map((e, i) => {
      const first = i === 0 ? [n.name, count(n.sockets)] : ['', ''];
      return e ? row(...first, e.name, ...some(e.sent, e.sentPS), ...some(e.received, e.receivedPS)) : row(...first, '–', '', '', '', '');
    })));
  const cards = document.querySelectorAll('.extra');
  s.extras.forEach(({ title, items }, i) => {
    let card = cards[i];
    if (!card) {
      card = element('section', element('h2'), element('dl'));
      card.className = `card extra of${s.extras.length}`;
      document.querySelector('main').insertBefore(card, $('events').closest('.card'));
    }
    card.querySelector('h2').textContent = title;
    card.querySelector('dl').replaceChildren(...items.map((item) => {
      const value = element('dd', /^\d+$/.test(item.text) ? count(Number(item.text)) : item.text);
      value.classList.toggle('bad', item.bad);
      value.classList.toggle('text', !/^\d/.test(item.text) || item.text.includes(':'));
      value.title = item.text;
      return element('div', explained(element('dt', item.name)), value);
    }));
  });
  for (const id of ['closed', 'refused']) {
    const rows = s[id].filter(({ count: n }) => n > 0).map(({ name, count: n }) => row(name, count(n)));
    $(id).tBodies[0].replaceChildren(...(rows.length ? rows : [row('none so far', '')]));
  }
}

function show(s) {
  document.body.dataset.state = s.state;
  document.title = `${s.state === 'ok' ? '' : '● '}${s.instance} · chat status`;
  set('instance', s.instance);
  set('version', s.version);
  set('state', s.state === 'ok' ? 'all is well' : s.state === 'attention' ? 'needs attention' : s.state);
  set('uptime', `up ${span(s.uptimeS)}`);
  $('attention').hidden = s.problems.length === 0;
  $('problems').replaceChildren(...s.problems.map((p) => element('li', element('b', p.text), element('span', p.advice))));

  const { clients: c, traffic: t, slow: w, roundTrip: rt, process: p, history: h } = s;
  set('clients', count(c.all));
  for (const id of ['websocket', 'polling', 'protocol3', 'protocol4']) set(id, count(c[id]));
  set('openedPS', `${rate(c.openedPS)}/s`);
  set('deliveriesPS', rate(t.deliveriesPS));
  set('broadcastsPS', `${rate(t.broadcastsPS)}/s`);
  set('receivedPS', `${rate(t.receivedPS)}/s`);
  set('bytesOutPS', `${bytes(t.bytesOutPS)}/s`);
  set('packetsPerWrite', t.packetsPerWrite ? t.packetsPerWrite.toFixed(1) : '–');
  set('ioUring', t.ioUring === '' ? 'in use' : `not in use: ${t.ioUring}`);
  set('deliveries', count(t.deliveries));
  showRedis(s.redis);

  set('slow', count(w.disconnected));
  set('queueFull', count(w.queueFull));
  set('writeTimeout', count(w.writeTimeout));
  set('waiting', count(w.waiting));
  set('outbox', bytes(w.bytes));
  set('largest', bytes(w.largest));
  set('bound', bytes(w.bound));
  $('fullest').style.setProperty('width', `${Math.min(100, (100 * w.largest) / (w.bound || 1))}%`);
  $('fullest').classList.toggle('bad', w.largest > w.bound / 2);
  set('rtt50', atMost(rt.p50));
  set('rtt99', atMost(rt.p99));

  set('cpu', p.cpu.toFixed(p.cpu < 10 ? 2 : 1));
  set('processors', `of ${p.processors} processor${p.processors === 1 ? '' : 's'}`);
  set('resident', p.resident ? bytes(p.resident) : '–');
  set('memory', bytes(p.memory));
  set('heap', bytes(p.heap));
  set('goroutines', count(p.goroutines));
  set('go', p.go.replace(/^go/, ''));

  const most = (list) => Math.max(0, ...list.map((v) => v ?? 0));
  const label = { clients: count, deliveries: (n) => `${rate(n)}/s`, lagMS: milliseconds, cpu: (n) => n.toFixed(2) };
  for (const svg of document.querySelectorAll('.spark')) {
    const values = h[svg.dataset.series];
    draw(svg, values, values.length ? `most ${label[svg.dataset.series](most(values))}` : '');
  }
  showTables(s);
}

document.querySelectorAll('main dt').forEach(explained);

let last = null;
async function ask() {
  try {
    const answer = await fetch('status.json', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json());
    last = Date.now();
  } catch {
    document.body.dataset.state = 'gone';
    set('state', 'no answer');
  }
  set('age', last === null ? 'the server does not answer' : `as of ${new Date(last).toLocaleTimeString()}; every graph shows the last five minutes`);
  setTimeout(ask, period);
}
void ask();
