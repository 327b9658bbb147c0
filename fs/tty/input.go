package tty

import "syscall"

// discipline is what the line discipline knows of a terminal. It has no lock and
// waits for nothing; TTY has what is missing.
type discipline struct {
	termios Termios
	special byteSet // bytes of the input that mean something

	queue   queue
	literal bool // VLNEXT came before
	erasing bool // ECHOPRT shows what is erased, and has not closed it

	cooked  bool // what takes the output breaks lines by itself
	stopped bool // the output, by VSTOP or TCOOFF
	held    bool // by TCOOFF: nothing that is typed starts it
	due     int  // what waits to be shown up to where something typed has started it

	column     int // of the cursor
	lineColumn int // where the line that is typed began
	echo       []echoOp

	raised []syscall.Signal // by the input, not passed on yet
}

// set replaces the settings.
func (d *discipline) set(t Termios) {
	old := d.termios
	d.termios = t
	d.findSpecial()
	if (old.Lflag^t.Lflag)&(ICANON|EXTPROC) != 0 {
		if t.l(ICANON) {
			d.queue.setLines()
		} else {
			d.queue.dropLines()
		}
		d.erasing, d.literal = false, false
	}
	if old.i(IXON) && !t.i(IXON) && !d.held {
		d.stopped = false
	}
}

// findSpecial makes the set of bytes of the input that need a closer look.
func (d *discipline) findSpecial() {
	t := &d.termios
	var s byteSet
	add := func(names ...int) {
		for _, n := range names {
			s.add(t.Cc[n])
		}
	}
	if t.i(IGNCR | ICRNL) {
		s.add('\r')
	}
	if t.i(INLCR) {
		s.add('\n')
	}
	if t.l(ICANON) {
		s.add('\n')
		add(VERASE, VKILL, VEOF, VEOL)
		if t.l(IEXTEN) {
			add(VWERASE, VLNEXT, VEOL2)
			if t.l(ECHO) {
				add(VREPRINT)
			}
		}
	}
	if t.i(IXON) {
		add(VSTART, VSTOP)
	}
	if t.l(ISIG) {
		add(VINTR, VQUIT, VSUSP)
	}
	s.remove(disabled)
	d.special = s
}

// receive takes bytes that were typed and returns how many: all for which there is
// room, but none behind one before which what was typed has to be shown first:
// one behind it may stop the output again. How that one is itself shown is not
// part of it.
func (d *discipline) receive(p []byte) int {
	for i, c := range p {
		if !d.room() {
			return i
		}
		if d.typed(c); d.due > 0 {
			return i + 1
		}
	}
	return len(p)
}

// room makes room for a byte. A line that fills the queue before it has ended
// goes on in the last place, so that what ends it, or takes it back, is seen.
func (d *discipline) room() bool {
	q := &d.queue
	room := queueSize - q.held()
	if d.termios.i(PARMRK) {
		room = (room + 2) / 3
	}
	switch {
	case room > 1:
		return true
	case !d.termios.l(ICANON) || q.line != q.tail:
		return false
	}
	for q.held() >= queueSize {
		q.head--
	}
	return true
}

func (d *discipline) typed(c byte) {
	t := &d.termios
	if t.i(ISTRIP) {
		c &= 0x7f
	}
	if t.i(IUCLC) && t.l(IEXTEN) {
		c = lower(c)
	}
	switch {
	case d.literal:
		d.literal = false
		d.ordinary(c)
	case t.l(EXTPROC):
		d.queue.put(c)
	case d.special.has(c):
		d.specially(c)
	default:
		d.ordinary(c)
	}
}

// ordinary takes a byte that stands for itself.
func (d *discipline) ordinary(c byte) {
	d.restart()
	if d.termios.l(ECHO) {
		d.showInput(c)
	}
	d.keep(c)
}

func (d *discipline) keep(c byte) {
	if c == 0xff && d.termios.i(PARMRK) {
		d.queue.put(c) // one alone would begin a mark
	}
	d.queue.put(c)
}

// restart lets anything that is typed start the output, under IXANY.
func (d *discipline) restart() {
	if d.termios.i(IXON) && d.termios.i(IXANY) {
		d.start()
	}
}

// start is for what starts the output.
func (d *discipline) start() {
	if d.stopped && !d.held {
		d.stopped, d.due = false, len(d.echo)
	}
}

func (d *discipline) specially(c byte) {
	t := &d.termios
	switch {
	case t.i(IXON) && t.is(c, VSTART):
		d.start()
		d.due = len(d.echo)
		return
	case t.i(IXON) && t.is(c, VSTOP):
		d.stopped = true
		return
	case t.l(ISIG) && t.is(c, VINTR):
		d.raise(syscall.SIGINT, c)
		return
	case t.l(ISIG) && t.is(c, VQUIT):
		d.raise(syscall.SIGQUIT, c)
		return
	case t.l(ISIG) && t.is(c, VSUSP):
		d.raise(syscall.SIGTSTP, c)
		return
	}
	d.restart()
	switch {
	case c == '\r' && t.i(IGNCR):
		return
	case c == '\r' && t.i(ICRNL):
		c = '\n'
	case c == '\n' && t.i(INLCR):
		c = '\r'
	}
	if t.l(ICANON) && d.edit(c) {
		return
	}
	if t.l(ECHO) {
		if c == '\n' {
			d.showErased()
			d.showPlain("\n")
		} else {
			d.showInput(c)
		}
	}
	d.keep(c)
}

// raise is for a key that is a signal. What was typed and shown before it goes,
// unless NOFLSH.
func (d *discipline) raise(sig syscall.Signal, c byte) {
	d.raised = append(d.raised, sig)
	if !d.termios.l(NOFLSH) {
		d.flushInput()
		d.echo, d.due = d.echo[:0], 0
	}
	if d.termios.i(IXON) && !d.held {
		d.stopped = false
	}
	if d.termios.l(ECHO) {
		d.showTyped(c)
	} else {
		d.due = len(d.echo)
	}
}

func (d *discipline) flushInput() {
	d.queue.flush()
	d.erasing = false
}

// edit is canonical mode's part of specially. It returns false if c stands for
// itself.
func (d *discipline) edit(c byte) bool {
	t := &d.termios
	more, shown := t.l(IEXTEN), t.l(ECHO)
	switch {
	case t.is(c, VERASE, VKILL), more && t.is(c, VWERASE):
		d.erase(c)
	case more && t.is(c, VLNEXT):
		d.literal = true
		if shown {
			d.showErased()
			if t.l(ECHOCTL) {
				d.showPlain("^\b")
			}
		}
	case more && shown && t.is(c, VREPRINT):
		d.showErased()
		d.showTyped(c)
		d.showPlain("\n")
		for pos := d.queue.line; pos != d.queue.head; pos++ {
			d.showTyped(d.queue.at(pos))
		}
	case c == '\n':
		if t.l(ECHO | ECHONL) {
			d.showPlain("\n")
		}
		d.queue.endLine(c)
	case t.is(c, VEOF):
		d.queue.endLine(disabled)
	case t.is(c, VEOL), more && t.is(c, VEOL2):
		if shown {
			if d.queue.line == d.queue.head {
				d.show(echoColumn)
			}
			d.showTyped(c)
		}
		if c == 0xff && t.i(PARMRK) {
			d.queue.put(c)
		}
		d.queue.endLine(c)
	default:
		return false
	}
	return true
}

// available is how many bytes a read gets at once.
func (d *discipline) available() int {
	if d.termios.canonical() {
		return d.queue.lines()
	}
	return d.queue.held()
}

// readable reports whether a read has something to take, if it is but the end of
// the file.
func (d *discipline) readable() bool {
	if d.termios.canonical() {
		return d.queue.line != d.queue.tail
	}
	return d.queue.held() > 0
}
