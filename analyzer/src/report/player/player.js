'use strict';
// Everything that is shown stands in the page: phases and findings as elements, the picture as lines of text behind it.
(() => {
  const byId = (id) => document.getElementById(id);
  const main = byId('main'), screen = byId('screen'), pointer = byId('pointer'), card = byId('card');
  const seek = byId('seek'), play = byId('play'), speed = byId('speed'), now = byId('now'), wall = byId('wall');
  const paint = screen.getContext('2d', { alpha: false }), overlay = pointer.getContext('2d');
  const length = Number(main.dataset.length), began = Number(main.dataset.began);

  // c <ms> <width> <height> <left> <top> <key> <png>: a change. s <ms> <x> <y> <png>: a pointer. p <ms> <x> <y>: its place.
  const cuts = [], shapes = [], places = [];
  for (const line of byId('frames').textContent.split('\n')) {
    const [kind, at, ...rest] = line.split(' ');
    if (kind === 'c') {
      const [width, height, left, top, key] = rest.slice(0, 5).map(Number);
      cuts.push({ at: Number(at), width, height, left, top, key: key === 1, data: rest[5] });
    } else if (kind === 's') {
      shapes.push({ at: Number(at), x: Number(rest[0]), y: Number(rest[1]), data: rest[2] });
    } else if (kind === 'p') {
      places.push({ at: Number(at), x: Number(rest[0]), y: Number(rest[1]) });
    }
  }
  const phases = [...document.querySelectorAll('[data-phase]')].map((row) => ({
    name: row.dataset.phase, from: Number(row.dataset.from), to: Number(row.dataset.to), outcome: row.dataset.outcome, row,
  }));

  /** The last of these that began by then. */
  const last = (list, time) => {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].at <= time) low = middle + 1; else high = middle;
    }
    return low - 1;
  };
  const decode = (data) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    return createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  };

  let time = 0, playing = false, drawn = -1, wanted = -1, busy = false, before = 0;

  /** Draws up to the change that is wanted, from the last whole screen on; who asks meanwhile is served next. */
  const draw = async () => {
    if (busy) return;
    busy = true;
    try { await drawAll(); } catch (error) { console.warn(`a change of the picture cannot be drawn: ${error}`); drawn = wanted; } finally { busy = false; }
    main.dataset.drawn = String(drawn);
    point();
  };
  const drawAll = async () => {
    while (drawn !== wanted) {
      const goal = wanted;
      if (goal < 0) { drawn = -1; break; }
      let from = goal;
      while (!cuts[from].key && from !== drawn + 1) from -= 1;
      // All are opened first, so that nobody sees what lies between.
      const images = await Promise.all(cuts.slice(from, goal + 1).map((cut) => decode(cut.data)));
      images.forEach((image, place) => {
        const cut = cuts[from + place];
        if (screen.width !== cut.width || screen.height !== cut.height) {
          for (const canvas of [screen, pointer]) { canvas.width = cut.width; canvas.height = cut.height; }
        }
        paint.drawImage(image, cut.left, cut.top);
        image.close();
      });
      drawn = goal;
    }
  };

  let shape = -2, shapeImage = null, asked = 0;
  const point = async () => {
    const place = places[last(places, time)], index = last(shapes, time), own = asked += 1;
    if (index !== shape) {
      const data = index < 0 ? '' : shapes[index].data;
      const image = data && data !== 'none' ? await decode(data).catch(() => null) : null;
      // Somebody has asked again meanwhile: the pointer is where that says.
      if (own !== asked) return;
      [shape, shapeImage] = [index, image];
    }
    overlay.clearRect(0, 0, pointer.width, pointer.height);
    if (!place || wanted < 0) return;
    if (shapeImage) {
      overlay.drawImage(shapeImage, place.x - shapes[shape].x, place.y - shapes[shape].y);
    } else if (shape < 0 || shapes[shape].data !== 'none') {
      overlay.beginPath();
      for (const [x, y] of [[0, 0], [0, 16], [4, 12], [7, 18], [9, 17], [6, 11], [11, 11]]) overlay.lineTo(place.x + x, place.y + y);
      overlay.closePath();
      overlay.fillStyle = 'white'; overlay.strokeStyle = 'black';
      overlay.fill(); overlay.stroke();
    }
  };

  const clock = (ms) => {
    const part = (value, digits) => String(Math.floor(value)).padStart(digits, '0');
    const hours = ms >= 3600000 ? `${Math.floor(ms / 3600000)}:` : '';
    return `${hours}${part(ms / 60000 % 60, 2)}:${part(ms / 1000 % 60, 2)}.${part(ms % 1000, 3)}`;
  };

  const show = () => {
    wanted = last(cuts, time);
    const current = phases.filter((phase) => phase.from <= time);
    const phase = current[current.length - 1];
    for (const other of phases) other.row.classList.toggle('now', other === phase);
    card.hidden = wanted >= 0;
    screen.hidden = pointer.hidden = wanted < 0;
    if (wanted < 0 && phase) {
      const isOver = time > phase.to, isEnd = time >= length;
      byId('card-phase').textContent = phase.name;
      byId('card-says').textContent = isEnd ? `the session ends: ${main.dataset.outcome}` : (isOver ? phase.outcome : 'in progress');
      card.className = (isEnd ? main.dataset.outcome : isOver && phase.outcome) === 'failed' ? 'failed' : '';
    }
    seek.value = String(Math.round(time));
    now.textContent = `${clock(time)} / ${clock(length)}`;
    wall.textContent = `${new Date(began + time).toISOString().replace('T', ' ')}`;
    seek.setAttribute('aria-valuetext', `${clock(time)} of ${clock(length)}${phase ? `, ${phase.name}` : ''}`);
    draw();
    point();
  };

  const go = (to) => { time = Math.min(Math.max(to, 0), length); show(); };
  const run = (on) => {
    playing = on;
    play.textContent = on ? 'Pause' : 'Play';
    if (!on) return;
    if (time >= length) time = 0;
    before = performance.now();
    requestAnimationFrame(tick);
  };
  const tick = (at) => {
    if (!playing) return;
    time = Math.min(time + Math.max(at - before, 0) * Number(speed.value), length);
    before = at;
    show();
    if (time >= length) run(false); else requestAnimationFrame(tick);
  };
  /** To the next or the last change. */
  const step = (by) => {
    run(false);
    const place = last(cuts, time);
    const on = by > 0 ? place + 1 : (place >= 0 && cuts[place].at < time ? place : place - 1);
    if (cuts[on]) go(cuts[on].at);
  };

  play.addEventListener('click', () => run(!playing));
  byId('back').addEventListener('click', () => step(-1));
  byId('forward').addEventListener('click', () => step(1));
  seek.addEventListener('input', () => go(Number(seek.value)));
  for (const element of document.querySelectorAll('[data-at]')) {
    element.addEventListener('click', () => { run(false); go(Number(element.dataset.at)); });
  }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target === speed) return;
    const keys = {
      ' ': () => { if (event.target.tagName === 'BUTTON' || event.target.tagName === 'SUMMARY') return false; run(!playing); },
      ArrowLeft: () => go(time - (event.shiftKey ? 10000 : 1000)), ArrowRight: () => go(time + (event.shiftKey ? 10000 : 1000)),
      Home: () => go(0), End: () => go(length), ',': () => step(-1), '.': () => step(1),
    };
    if (keys[event.key] && keys[event.key]() !== false) event.preventDefault();
  });

  // The bar: each phase where it stands, each finding at its moment. What is too short to see has a least width.
  const share = (ms) => `${length > 0 ? 100 * Math.min(ms / length, 1) : 0}%`;
  for (const mark of document.querySelectorAll('#bar [data-from], #bar [data-mark]')) {
    const from = Number(mark.dataset.from ?? mark.dataset.mark);
    mark.style.left = share(from);
    if (mark.dataset.to) mark.style.width = share(Number(mark.dataset.to) - from);
  }
  byId('player').hidden = false;
  const label = () => {
    for (const mark of document.querySelectorAll('#lane span')) {
      mark.textContent = mark.clientWidth > 7 * mark.dataset.name.length + 8 ? mark.dataset.name : '';
    }
  };
  addEventListener('resize', label);
  label();
  const start = /^#t=([0-9.]+)$/.exec(location.hash);
  go(start ? Number(start[1]) * 1000 : (cuts.length > 0 ? cuts[0].at : 0));
})();
