(function () {
  'use strict';
  performance.mark('spicealif-begin');
  var SVG = 'http://www.w3.org/2000/svg';
  var root = document.documentElement;
  root.classList.add('js');

  function all(selector, inside) {
    return Array.prototype.slice.call((inside || document).querySelectorAll(selector));
  }
  function show(selector, inside) {
    all(selector, inside).forEach(function (e) { e.hidden = false; });
  }
  function clamp(v, low, high) { return Math.min(Math.max(v, low), high); }

  /* --- colours --- */
  function setTheme(name) {
    if (name === 'auto') root.removeAttribute('data-theme');
    else root.setAttribute('data-theme', name);
    all('.theme button').forEach(function (b) {
      b.setAttribute('aria-pressed', String(b.dataset.theme === name));
    });
    // A file that was opened from a disk may not be allowed to keep anything.
    try { localStorage.setItem('spicealif-report-colours', name); } catch (e) { /* not kept */ }
  }
  var kept = 'auto';
  try { kept = localStorage.getItem('spicealif-report-colours') || 'auto'; } catch (e) { /* none */ }
  all('.theme button').forEach(function (b) {
    b.addEventListener('click', function () { setTheme(b.dataset.theme); });
  });
  setTheme(/^(light|dark)$/.test(kept) ? kept : 'auto');
  show('.theme, .tools, .hint, .copy');

  /* --- tabs --- */
  all('.tabs').forEach(function (box) {
    var panels = all('.tabpanel', box).filter(function (p) { return p.parentNode === box; });
    var list = document.createElement('div');
    list.className = 'tablist';
    list.setAttribute('role', 'tablist');
    list.setAttribute('aria-label', box.dataset.label);
    var buttons = panels.map(function (panel, k) {
      var b = document.createElement('button');
      b.type = 'button';
      b.id = panel.id + '-tab';
      b.textContent = panel.querySelector('h3').textContent;
      b.setAttribute('role', 'tab');
      b.setAttribute('aria-controls', panel.id);
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', b.id);
      b.addEventListener('click', function () { choose(k); });
      b.addEventListener('keydown', function (event) {
        var to = { ArrowRight: k + 1, ArrowLeft: k - 1, Home: 0, End: panels.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        choose((to + panels.length) % panels.length);
        buttons[(to + panels.length) % panels.length].focus();
      });
      list.appendChild(b);
      return b;
    });
    function choose(k) {
      panels.forEach(function (panel, j) {
        panel.hidden = j !== k;
        buttons[j].setAttribute('aria-selected', String(j === k));
        buttons[j].tabIndex = j === k ? 0 : -1;
      });
    }
    box.insertBefore(list, panels[0]);
    choose(0);
  });

  /* --- copying --- */
  all('.copy').forEach(function (b) {
    b.addEventListener('click', function () {
      var from = document.getElementById(b.dataset.copy);
      function choose() {
        var range = document.createRange();
        range.selectNodeContents(from);
        var selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        b.textContent = 'Selected';
      }
      if (!navigator.clipboard) { choose(); return; }
      navigator.clipboard.writeText(from.textContent).then(function () {
        b.textContent = 'Copied';
      }, choose);
    });
  });

  /* --- pointers that several pictures have in common --- */
  // `on` has box() (where the picture is), zoom(x, y, factor), move(dx, dy), and may have begin,
  // select and click for a mouse that draws a stretch.
  function listen(element, stage, on) {
    var touches = new Map();
    var start = null;
    function at(event) {
      var box = element.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height,
        px: event.clientX, py: event.clientY, w: box.width, h: box.height };
    }
    element.addEventListener('wheel', function (event) {
      if (!event.ctrlKey && !event.metaKey && !stage.contains(document.activeElement)) return;
      event.preventDefault();
      var p = at(event);
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) on.move(event.deltaX / p.w, 0);
      else on.zoom(p.x, p.y, Math.exp(clamp(event.deltaY, -200, 200) * 0.0025));
    }, { passive: false });
    element.addEventListener('pointerdown', function (event) {
      if (event.button) return;
      stage.focus({ preventScroll: true });
      touches.set(event.pointerId, at(event));
      // A pointer that is gone already cannot be held.
      try { element.setPointerCapture(event.pointerId); } catch (e) { /* as it is */ }
      start = { p: at(event), drag: event.pointerType !== 'mouse' || event.shiftKey || !on.select,
        mouse: event.pointerType === 'mouse', moved: false, many: touches.size > 1 };
      if (event.pointerType === 'mouse') event.preventDefault();
    });
    element.addEventListener('pointermove', function (event) {
      var p = at(event);
      var before = touches.get(event.pointerId);
      if (!before || !start) { if (on.hover) on.hover(p); return; }
      if (touches.size === 2) {
        var other = null;
        touches.forEach(function (q, id) { if (id !== event.pointerId) other = q; });
        var was = Math.hypot(before.px - other.px, before.py - other.py);
        var is = Math.hypot(p.px - other.px, p.py - other.py);
        if (was > 8 && is > 8) on.zoom((p.x + other.x) / 2, (p.y + other.y) / 2, was / is);
        start.many = true;
      } else if (Math.abs(p.px - start.p.px) > 3 || Math.abs(p.py - start.p.py) > 3 || start.moved) {
        start.moved = true;
        if (start.drag) on.move(before.x - p.x, before.y - p.y);
        else on.select(start.p.x, p.x, false);
      }
      touches.set(event.pointerId, p);
    });
    function end(event) {
      if (!touches.delete(event.pointerId) || !start) return;
      if (event.type === 'pointerup' && !start.many) {
        if (!start.moved) { if (on.click) on.click(at(event)); }
        else if (!start.drag) on.select(start.p.x, at(event).x, true);
      } else if (on.select) on.select(0, 0, false);
      if (!touches.size) start = null;
    }
    element.addEventListener('pointerup', end);
    element.addEventListener('pointercancel', end);
    element.addEventListener('pointerleave', function () { if (on.leave) on.leave(); });
    element.addEventListener('dblclick', function (event) { event.preventDefault(); on.reset(); });
  }
  // Keys and buttons are the same for traces and drawings.
  function command(box, stage, act) {
    all('.tools button', box).forEach(function (b) {
      b.addEventListener('click', function () { act(b.dataset.do); });
    });
    stage.addEventListener('keydown', function (event) {
      if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
      var what = { '+': 'in', '=': 'in', '-': 'out', _: 'out', ArrowLeft: 'left',
        ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down', 0: 'reset', Home: 'reset',
        Escape: 'reset' }[event.key];
      if (what && act(what) !== false) event.preventDefault();
    });
  }

  /* --- traces --- */
  function bytes(text) {
    var s = atob(text), out = new Uint8Array(s.length);
    for (var i = 0; i < s.length; i++) out[i] = s.charCodeAt(i);
    return new DataView(out.buffer);
  }
  function series(packed, begin, end) {
    var t = new Float64Array(packed.n), v = new Float64Array(packed.n);
    var a = bytes(packed.t), b = bytes(packed.v);
    for (var i = 0; i < packed.n; i++) {
      t[i] = begin + (a.getUint32(4 * i, true) / 4294967295) * (end - begin);
      var k = b.getUint16(2 * i, true);
      v[i] = k === 65535 ? NaN : packed.low + (k / 65534) * packed.span;
    }
    return { name: packed.name, colour: packed.colour, dots: packed.dots, t: t, v: v };
  }
  function marks(packed) {
    var a = bytes(packed.t), t = new Float64Array(packed.n);
    for (var i = 0; i < packed.n; i++) t[i] = a.getFloat64(8 * i, true);
    return { name: packed.name, colour: packed.colour, t: t };
  }
  // The first index whose time is not before `time`.
  function first(t, time) {
    var low = 0, high = t.length;
    while (low < high) { var m = (low + high) >> 1; if (t[m] < time) low = m + 1; else high = m; }
    return low;
  }
  function value(s, time) {
    var k = first(s.t, time);
    if (k >= s.t.length || (k === 0 && s.t[0] > time)) return NaN;
    if (k === 0 || s.t[k] === time) return s.v[k];
    var f = (time - s.t[k - 1]) / (s.t[k] - s.t[k - 1] || 1);
    return s.v[k - 1] + f * (s.v[k] - s.v[k - 1]);
  }
  function ticks(low, high, about) {
    var span = high - low;
    if (!(span > 0)) return { at: [low], step: 1 };
    var raw = span / Math.max(about, 1), power = Math.pow(10, Math.floor(Math.log10(raw)));
    var step = [1, 2, 5, 10].map(function (m) { return m * power; })
      .filter(function (s) { return s >= raw * 0.7; })[0];
    var out = [];
    for (var k = Math.ceil(low / step - 1e-9); k <= Math.floor(high / step + 1e-9); k++) out.push(k * step);
    return { at: out, step: step };
  }
  function number(v, step) {
    var digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return (v === 0 ? 0 : v).toFixed(Math.min(digits, 12));
  }
  function make(name, attributes, parent) {
    var e = document.createElementNS(SVG, name);
    Object.keys(attributes).forEach(function (k) { e.setAttribute(k, attributes[k]); });
    parent.appendChild(e);
    return e;
  }

  function Chart(box) {
    var data = JSON.parse(box.querySelector('.data').textContent);
    var stage = box.querySelector('.stage');
    var status = box.querySelector('.shown');
    var fit = box.querySelector('.fit');
    var whole = [data.begin, data.end];
    var view = whole.slice();
    var least = Math.max((whole[1] - whole[0]) * 1e-7, 1e-12);
    var chosen = null, brush = null, cursor = null, pending = false, narrow = false;
    var panels = all('.panel', box).map(function (element, k) {
      var p = data.panels[k];
      return { box: element, svg: element.querySelector('svg'), readout: element.querySelector('.readout'),
        last: k === data.panels.length - 1, symbol: p.symbol, unit: p.unit, scale: p.scale,
        height: p.height, limits: p.limits, lines: p.lines,
        series: p.series.map(function (s) { return series(s, data.begin, data.end); }),
        marks: p.marks.map(marks) };
    });
    var width = 0;

    function left() { return narrow ? 46 : data.left; }
    function inner() { return width - left() - data.right; }
    function timeAt(x) { return view[0] + ((x * width - left()) / inner()) * (view[1] - view[0]); }

    function set(low, high) {
      var span = clamp(high - low, least, whole[1] - whole[0]);
      var middle = (low + high) / 2;
      low = clamp(middle - span / 2, whole[0], whole[1] - span);
      view = [low, low + span];
      later();
    }
    function later() {
      if (pending) return;
      pending = true;
      requestAnimationFrame(function () { pending = false; draw(); });
    }
    function path(s, x, y) {
      var a = Math.max(first(s.t, view[0]) - 1, 0), b = Math.min(first(s.t, view[1]) + 1, s.t.length);
      var out = [], pen = 'M', i;
      if (s.dots) {
        for (i = a; i < b; i++) {
          if (s.t[i] >= view[0] && s.t[i] <= view[1]) out.push('M', x(s.t[i]).toFixed(1), ' ', y(s.v[i]).toFixed(1), 'h0');
        }
        return out.join('');
      }
      function put(k) { out.push(pen, x(s.t[k]).toFixed(1), ' ', y(s.v[k]).toFixed(1)); pen = 'L'; }
      if (b - a < 4 * inner()) {
        for (i = a; i < b; i++) { if (s.v[i] === s.v[i]) put(i); else pen = 'M'; }
        return out.join('');
      }
      // More samples than the picture has columns: of each the first, the extremes, the last.
      i = a;
      while (i < b) {
        var column = Math.floor(x(s.t[i])), low = i, high = i, k = i;
        for (; k < b && Math.floor(x(s.t[k])) === column; k++) {
          if (s.v[k] < s.v[low]) low = k;
          if (s.v[k] > s.v[high]) high = k;
        }
        var some = [i, Math.min(low, high), Math.max(low, high), k - 1];
        for (var j = 0; j < 4; j++) {
          if (!(s.v[some[j]] === s.v[some[j]])) pen = 'M';
          else if (!j || some[j] > some[j - 1]) put(some[j]);
        }
        i = k;
      }
      return out.join('');
    }
    function heights(p) {
      if (!fit.checked || !p.series.length) return p.limits;
      var low = Infinity, high = -Infinity;
      p.series.forEach(function (s) {
        var a = first(s.t, view[0]), b = first(s.t, view[1]);
        for (var i = a; i < b; i++) {
          if (s.v[i] < low) low = s.v[i];
          if (s.v[i] > high) high = s.v[i];
        }
        if (!s.dots) [view[0], view[1]].forEach(function (t) {
          var v = value(s, t);
          if (v < low) low = v;
          if (v > high) high = v;
        });
      });
      if (!(high >= low)) return p.limits;
      var room = 0.06 * (high - low) || Math.abs(high) * 1e-6 || 1e-9;
      return [low - room, high + room];
    }
    function drawPanel(p) {
      var svg = p.svg, h = p.height + (p.last ? data.axis - data.bottom : 0);
      svg.setAttribute('viewBox', '0 0 ' + width + ' ' + h);
      while (svg.firstChild) svg.removeChild(svg.firstChild);
      var l = left(), r = width - data.right, top = data.top, bottom = p.height - data.bottom;
      var x = function (t) { return l + ((t - view[0]) / (view[1] - view[0])) * inner(); };
      var ends = heights(p);
      var y = function (v) { return bottom - ((v - ends[0]) / (ends[1] - ends[0])) * (bottom - top); };
      var grid = make('path', { class: 'grid' }, svg), clip = make('svg', { x: l, y: 0, width: r - l, height: h,
        viewBox: l + ' 0 ' + (r - l) + ' ' + h, class: p.marks.length ? 'marks' : '' }, svg);
      make('rect', { class: 'frame', x: l, y: top, width: r - l, height: bottom - top }, svg);
      var words = make('g', { class: 'words' }, svg), d = '';
      function word(at, down, anchor, text) {
        make('text', { x: at.toFixed(1), y: down.toFixed(1), 'text-anchor': anchor }, words).textContent = text;
      }
      var over = ticks(view[0] * data.factor, view[1] * data.factor, narrow ? 3 : 7);
      over.at.forEach(function (t) {
        var at = x(t / data.factor);
        d += 'M' + at.toFixed(1) + ' ' + top + 'V' + bottom;
        if (p.last) word(clamp(at, 18, width - 22), bottom + 16, 'middle', number(t, over.step));
      });
      if (p.last) word((l + r) / 2, bottom + 32, 'middle', 'time in ' + data.unit);
      if (p.marks.length) {
        var each = (bottom - top) / p.marks.length;
        p.marks.forEach(function (m, k) {
          var y0 = top + each * k + 3, y1 = top + each * (k + 1) - 3, strokes = '', before = NaN;
          var label = m.name.split(' (')[0];
          word(l - 6, (y0 + y1) / 2 + 4, 'end', narrow ? label.slice(0, 5) + '.' : label);
          for (var i = first(m.t, view[0]); i < m.t.length && m.t[i] <= view[1]; i++) {
            var at = x(m.t[i]).toFixed(1);
            if (at !== before) strokes += 'M' + at + ' ' + y0 + 'V' + y1;
            before = at;
          }
          make('path', { class: 'line c' + m.colour, d: strokes }, clip);
        });
      } else {
        var up = ticks(ends[0] * p.scale, ends[1] * p.scale, Math.max(2, Math.floor(p.height / 34)));
        up.at.forEach(function (v) {
          var at = y(v / p.scale);
          d += 'M' + l + ' ' + at.toFixed(1) + 'H' + r;
          word(l - 6, at + 4, 'end', number(v, up.step));
        });
        p.lines.forEach(function (line) {
          var at = y(line[0]);
          if (at < top || at > bottom) return;
          make('path', { class: 'level', d: 'M' + l + ' ' + at.toFixed(1) + 'H' + r }, clip);
          word(r - 4, at + (at < top + 18 ? 14 : -5), 'end', line[1]);
        });
        // The first of them, the circuit, lies on top.
        p.series.slice().reverse().forEach(function (s) {
          var many = first(s.t, view[1]) - first(s.t, view[0]) > 4 * inner();
          make('path', { class: 'line c' + s.colour + (s.dots ? ' dots' : many ? ' dense' : ''), d: path(s, x, y) }, clip);
        });
      }
      grid.setAttribute('d', d);
      if (chosen) {
        [chosen.t, chosen.u].forEach(function (t, k) {
          if (t === t && t >= view[0] && t <= view[1]) {
            make('path', { class: 'chosen c' + (k + 1), d: 'M' + x(t).toFixed(1) + ' ' + top + 'V' + bottom }, clip);
          }
        });
      }
      p.brush = make('rect', { class: 'brush', x: 0, y: top, width: 0, height: bottom - top }, svg);
      p.cursor = make('path', { class: 'cursor', d: '' }, clip);
      p.top = top; p.bottom = bottom;
    }
    function draw() {
      var wide = stage.clientWidth;
      if (!wide) return;
      width = wide;
      narrow = width < 520;
      panels.forEach(drawPanel);
      var step = (view[1] - view[0]) * data.factor / 1000;
      status.textContent = 'Shown: ' + number(view[0] * data.factor, step) + ' to ' +
        number(view[1] * data.factor, step) + ' ' + data.unit;
      box.dataset.view = view.join(' ');
    }
    function hover(p) {
      var time = timeAt(p.x);
      if (time < view[0] || time > view[1]) { leave(); return; }
      panels.forEach(function (q) {
        var at = p.x * width;
        q.cursor.setAttribute('d', 'M' + at.toFixed(1) + ' ' + q.top + 'V' + q.bottom);
        q.readout.textContent = '';
        if (q === panels[0] || q.marks.length) {
          q.readout.textContent = 't = ' + (time * data.factor).toFixed(
            clamp(Math.ceil(-Math.log10((view[1] - view[0]) * data.factor / 2000)), 0, 12)) + ' ' + data.unit;
        }
        q.series.forEach(function (s) {
          var v = s.dots ? s.v[Math.min(first(s.t, time), s.v.length - 1)] : value(s, time);
          if (v !== v) return;
          var i = document.createElement('i');
          i.className = 'c' + s.colour;
          i.textContent = s.name.split(' (')[0] + ' ' + (v * q.scale).toPrecision(4) + ' ' + q.unit;
          q.readout.appendChild(i);
        });
      });
    }
    function leave() {
      panels.forEach(function (q) { if (q.cursor) q.cursor.setAttribute('d', ''); q.readout.textContent = ''; });
    }
    var on = {
      zoom: function (x, y, factor) {
        var t = clamp(timeAt(x), view[0], view[1]);
        set(t - (t - view[0]) * factor, t + (view[1] - t) * factor);
      },
      move: function (dx) {
        var by = dx * (width / inner()) * (view[1] - view[0]);
        by = clamp(by, whole[0] - view[0], whole[1] - view[1]);
        set(view[0] + by, view[1] + by);
      },
      select: function (a, b, done) {
        var low = clamp(Math.min(a, b) * width, left(), width - data.right);
        var high = clamp(Math.max(a, b) * width, left(), width - data.right);
        panels.forEach(function (q) {
          q.brush.setAttribute('x', low);
          q.brush.setAttribute('width', done ? 0 : Math.max(high - low, 0));
        });
        if (done && high - low > 4) set(timeAt(low / width), timeAt(high / width));
      },
      click: function (p) { nearest(timeAt(p.x)); },
      hover: hover, leave: leave,
      reset: function () { view = whole.slice(); later(); }
    };
    panels.forEach(function (p) { listen(p.svg, stage, on); });
    command(box, stage, function (what) {
      var span = view[1] - view[0], middle = (view[0] + view[1]) / 2;
      if (what === 'in') set(middle - span / 4, middle + span / 4);
      else if (what === 'out') set(middle - span, middle + span);
      else if (what === 'left') on.move(-0.2);
      else if (what === 'right') on.move(0.2);
      else if (what === 'reset') on.reset();
      else return false;
      return true;
    });
    fit.addEventListener('change', later);

    /* spikes: the table and the pictures show the same one */
    var rows = all('.spikes tbody tr', box).map(function (row) {
      var pair = row.dataset.t.split(' ').map(function (s) { return s === '' || s === '-' ? NaN : Number(s); });
      return { row: row, button: row.querySelector('button'), t: pair[0], u: pair[1] };
    });
    function choose(k, zoom) {
      rows.forEach(function (r, j) {
        r.row.classList.toggle('is-chosen', j === k);
        r.button.tabIndex = j === k ? 0 : -1;
        r.button.setAttribute('aria-pressed', String(j === k));
      });
      chosen = rows[k];
      var table = rows[k].row.closest('.spikes');
      var top = rows[k].row.offsetTop - table.clientHeight / 2;
      table.scrollTop = Math.max(top, 0);
      if (zoom) {
        var times = [rows[k].t, rows[k].u].filter(function (t) { return t === t; });
        var low = Math.min.apply(null, times), high = Math.max.apply(null, times);
        var reach = Math.max(3 * typical(k), 4 * (high - low));
        set((low + high) / 2 - reach, (low + high) / 2 + reach);
      } else later();
    }
    function typical(k) {
      var a = rows[Math.max(k - 2, 0)], b = rows[Math.min(k + 2, rows.length - 1)];
      var ta = a.t === a.t ? a.t : a.u, tb = b.t === b.t ? b.t : b.u;
      return (tb - ta) / 4 || (whole[1] - whole[0]) / 50;
    }
    function nearest(time) {
      var best = -1, far = Infinity;
      rows.forEach(function (r, k) {
        [r.t, r.u].forEach(function (t) {
          if (Math.abs(t - time) < far) { far = Math.abs(t - time); best = k; }
        });
      });
      if (best >= 0) choose(best, false);
    }
    rows.forEach(function (r, k) {
      r.button.setAttribute('aria-pressed', 'false');
      r.row.addEventListener('click', function () { choose(k, true); });
      r.button.addEventListener('keydown', function (event) {
        var to = { ArrowDown: k + 1, ArrowUp: k - 1, Home: 0, End: rows.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        to = clamp(to, 0, rows.length - 1);
        choose(to, true);
        rows[to].button.focus({ preventScroll: true });
      });
    });
    if (window.ResizeObserver) {
      new ResizeObserver(function () { if (stage.clientWidth && stage.clientWidth !== width) later(); }).observe(stage);
    }
    draw();
  }
  all('.chart').forEach(Chart);

  /* --- drawings --- */
  all('.picture').forEach(function (box) {
    var stage = box.querySelector('.paper'), svg = stage.querySelector('svg');
    if (!svg || !svg.viewBox.baseVal.width) { box.querySelector('.tools').hidden = true; return; }
    var b = svg.viewBox.baseVal, whole = [b.x, b.y, b.width, b.height], view = whole.slice();
    function draw() {
      svg.setAttribute('viewBox', view.join(' '));
      // As a whole it is moved as the page is; a part is moved within its frame.
      box.classList.toggle('zoomed', view[2] < whole[2]);
    }
    function set(x, y, w) {
      w = clamp(w, whole[2] / 40, whole[2]);
      var h = w * whole[3] / whole[2];
      view = [clamp(x, whole[0], whole[0] + whole[2] - w), clamp(y, whole[1], whole[1] + whole[3] - h), w, h];
      draw();
    }
    var on = {
      zoom: function (x, y, factor) {
        var w = clamp(view[2] * factor, whole[2] / 40, whole[2]), f = w / view[2];
        set(view[0] + x * view[2] * (1 - f), view[1] + y * view[3] * (1 - f), w);
      },
      move: function (dx, dy) { set(view[0] + dx * view[2], view[1] + dy * view[3], view[2]); },
      reset: function () { view = whole.slice(); draw(); }
    };
    listen(svg, stage, on);
    command(box, stage, function (what) {
      var to = { left: [-0.2, 0], right: [0.2, 0], up: [0, -0.2], down: [0, 0.2] }[what];
      if (what === 'in') on.zoom(0.5, 0.5, 0.6);
      else if (what === 'out') on.zoom(0.5, 0.5, 1 / 0.6);
      else if (what === 'reset') on.reset();
      else if (view[2] < whole[2]) on.move(to[0], to[1]);
      else return false;
      return true;
    });
    window.addEventListener('beforeprint', on.reset);
  });
  performance.measure('spicealif-script', 'spicealif-begin');
})();
