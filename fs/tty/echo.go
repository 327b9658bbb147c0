package tty

// echoOp is something to show for what was typed: a byte that goes through the
// output modes, or one of the operations below with a byte. It is carried out
// when the output takes it, as it depends on the column.
type echoOp uint16

const (
	echoCaret   echoOp = 1 << 8 // a control character, as ^ and a letter
	echoLiteral echoOp = 2 << 8 // a byte as it is
	echoColumn  echoOp = 3 << 8 // the line that is typed begins at this column
	echoBack    echoOp = 4 << 8 // the byte before took no column
	echoUntab   echoOp = 5 << 8 // goes back over a tab; the byte: columns before it
	echoKind    echoOp = 0xff << 8

	// afterTab: those columns are counted from the tab before.
	afterTab = 0x80
)

// echoMax is how much waits for an output that takes nothing, in operations.
// What would be more is not shown.
const echoMax = 64 << 10

func (d *discipline) show(op echoOp) {
	if len(d.echo) < echoMax {
		d.echo = append(d.echo, op)
	}
}

// showTyped shows a character as the one who types it sees it.
func (d *discipline) showTyped(c byte) {
	switch {
	case isControl(c) && c != '\t' && d.termios.l(ECHOCTL):
		d.show(echoCaret | echoOp(c))
	case c == 0xff:
		d.show(echoLiteral | echoOp(c))
	default:
		d.show(echoOp(c))
	}
}

// showPlain shows a byte by the output modes alone.
func (d *discipline) showPlain(s string) {
	for i := range len(s) {
		d.show(echoOp(s[i]))
	}
}

// showInput shows a character that becomes part of the input.
func (d *discipline) showInput(c byte) {
	d.showErased()
	if d.queue.line == d.queue.head {
		d.show(echoColumn)
	}
	d.showTyped(c)
}

// showErased ends what ECHOPRT has begun.
func (d *discipline) showErased() {
	if d.erasing {
		d.showPlain("/")
		d.erasing = false
	}
}

// takeEcho appends what waits to be shown to b, as much as room bytes have room
// for: what is due, or everything.
func (d *discipline) takeEcho(b []byte, room int) []byte {
	limit := len(b) + room
	n := 0
	ops := d.echo
	if d.due > 0 {
		ops, d.due = ops[:d.due], 0
	}
	for _, op := range ops {
		var ok bool
		if b, ok = d.carryOut(b, op, limit); !ok {
			break
		}
		n++
	}
	d.echo = d.echo[:copy(d.echo, d.echo[n:])]
	return b
}

// carryOut is post for an echoOp.
func (d *discipline) carryOut(b []byte, op echoOp, limit int) ([]byte, bool) {
	c := byte(op)
	switch op & echoKind {
	case echoCaret:
		if len(b)+2 > limit {
			return b, false
		}
		d.column += 2
		return append(b, '^', ctrl(c)), true
	case echoLiteral:
		if len(b) >= limit {
			return b, false
		}
		d.column++
		return append(b, c), true
	case echoColumn:
		d.lineColumn = d.column
		return b, true
	case echoBack:
		d.column = max(d.column-1, 0)
		return b, true
	case echoUntab:
		before := int(c)
		if before&afterTab == 0 {
			before += d.lineColumn
		}
		back := 8 - before&7
		if len(b)+back > limit {
			return b, false
		}
		d.column = max(d.column-back, 0)
		return append(b, "\b\b\b\b\b\b\b\b"[:back]...), true
	}
	if d.posts() {
		return d.post(b, c, limit)
	}
	if len(b) >= limit {
		return b, false
	}
	return append(b, c), true
}

// erase takes back a character, a word or the line, by c, which is the control
// character for that.
func (d *discipline) erase(c byte) {
	t, q := &d.termios, &d.queue
	if q.head == q.line {
		return
	}
	one, word := t.is(c, VERASE), t.is(c, VWERASE)
	if !one && !word && (!t.l(ECHO) || t.Lflag&(ECHOK|ECHOKE|ECHOE) != ECHOK|ECHOKE|ECHOE) {
		q.head = q.line
		if t.l(ECHO) {
			d.showErased()
			d.showTyped(t.Cc[VKILL])
			if t.l(ECHOK) {
				d.showPlain("\n")
			}
		}
		return
	}
	for inWord := false; q.head != q.line; {
		start := q.head - 1
		for d.continues(q.at(start)) && start != q.line {
			start--
		}
		first := q.at(start)
		if d.continues(first) {
			break // the character begins before the line
		}
		if word && !isWord(first) && inWord {
			break
		}
		inWord = inWord || isWord(first)
		end := q.head
		q.head = start
		if t.l(ECHO) {
			d.showGone(one, start, end)
		}
		if one {
			break
		}
	}
	if q.head == q.line && t.l(ECHO) {
		d.showErased()
	}
}

// showGone shows that the character from start to end is gone.
func (d *discipline) showGone(one bool, start, end uint) {
	t, q := &d.termios, &d.queue
	c := q.at(start)
	switch {
	case t.l(ECHOPRT):
		if !d.erasing {
			d.showPlain("\\")
			d.erasing = true
		}
		d.showTyped(c)
		for pos := start + 1; pos != end; pos++ {
			d.show(echoOp(q.at(pos)))
			d.show(echoBack)
		}
	case one && !t.l(ECHOE):
		d.showTyped(t.Cc[VERASE])
	case c == '\t':
		d.show(echoUntab | d.columnsBefore(start))
	case !isControl(c):
		d.showPlain("\b \b")
	case t.l(ECHOCTL):
		d.showPlain("\b \b\b \b")
	}
}

// columnsBefore counts the columns, modulo 8, of what was typed before pos, from
// the last tab on if there is one.
func (d *discipline) columnsBefore(pos uint) echoOp {
	n := 0
	for pos != d.queue.line {
		pos--
		c := d.queue.at(pos)
		switch {
		case c == '\t':
			return echoOp(n&7 | afterTab)
		case isControl(c):
			if d.termios.l(ECHOCTL) {
				n += 2
			}
		case !d.continues(c):
			n++
		}
	}
	return echoOp(n & 7)
}
