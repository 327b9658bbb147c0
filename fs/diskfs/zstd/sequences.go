package zstd

// The codes of a sequence (§3.1.1.3.2).
const (
	codeLL = iota // literals before the match
	codeOF        // its offset
	codeML        // its length
)

// codes are how one of the three is read.
type codes struct {
	has   bool // table is that of a block before
	log   uint
	table [1 << 9]cell
}

// kinds are what is known of the codes: the table's limits, and the distribution where a block has none
// (§3.1.1.3.2.2).
var kinds = [3]struct {
	maxLog    uint
	maxSymbol int
	log       uint
	counts    []int16
}{
	codeLL: {9, 35, 6, []int16{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}},
	codeOF: {8, 31, 5, []int16{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}},
	codeML: {9, 52, 6, []int16{
		1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
	}},
}

// length is what a code of a length stands for: base, and as many bits.
type length struct {
	base uint32
	bits uint8
}

// lengths of codes that have bits; those below stand for themselves, of a match three more.
var (
	llLengths = [...]length{
		{16, 1}, {18, 1}, {20, 1}, {22, 1}, {24, 2}, {28, 2}, {32, 3}, {40, 3}, {48, 4}, {64, 6}, {128, 7}, {256, 8}, {512, 9}, {1 << 10, 10},
		{1 << 11, 11}, {1 << 12, 12}, {1 << 13, 13}, {1 << 14, 14}, {1 << 15, 15}, {1 << 16, 16},
	}
	mlLengths = [...]length{
		{35, 1}, {37, 1}, {39, 1}, {41, 1}, {43, 2}, {47, 2}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 5}, {131, 7}, {259, 8}, {515, 9},
		{1<<10 + 3, 10}, {1<<11 + 3, 11}, {1<<12 + 3, 12}, {1<<13 + 3, 13}, {1<<14 + 3, 14}, {1<<15 + 3, 15}, {1<<16 + 3, 16},
	}
)

const (
	plainLL = 16 // codes below have no bits
	plainML = 32
	leastML = 3
)

// Modes of tables (§3.1.1.3.2.1.1).
const (
	modePredefined = iota
	modeRLE
	modeFSE
	modeRepeat
)

// sequences reads the section of sequences, and does what they say.
func (d *decoder) sequences(src []byte) error {
	count, src, err := sequenceCount(src)
	if err != nil {
		return err
	}
	if count == 0 {
		if len(src) > 0 {
			return corrupt("%d bytes behind a block without sequences", len(src))
		}
		return d.append(d.literals)
	}
	if len(src) == 0 {
		return corrupt("a block without modes")
	}
	modes := src[0]
	if src = src[1:]; modes&3 != 0 {
		return corrupt("Symbol_Compression_Modes is %#x: reserved bits are set", modes)
	}
	for i := range d.codes {
		if src, err = d.codes[i].readTable(i, modes>>(6-2*i)&3, src); err != nil {
			return err
		}
	}
	r, err := newBackward(src)
	if err != nil {
		return err
	}
	ll, of, ml := &d.codes[codeLL], &d.codes[codeOF], &d.codes[codeML]
	// The order in which they are read is not the same everywhere.
	llState, ofState, mlState := r.read(ll.log), r.read(of.log), r.read(ml.log)
	for ; count > 0; count-- {
		l, o, m := ll.table[llState], of.table[ofState], ml.table[mlState]
		offset := uint64(1)<<o.symbol + r.read(uint(o.symbol))
		size, literals := int(m.symbol)+leastML, int(l.symbol)
		if m.symbol >= plainML {
			x := mlLengths[m.symbol-plainML]
			size = int(x.base) + int(r.read(uint(x.bits)))
		}
		if l.symbol >= plainLL {
			x := llLengths[l.symbol-plainLL]
			literals = int(x.base) + int(r.read(uint(x.bits)))
		}
		if count > 1 {
			llState = uint64(l.base) + r.read(uint(l.bits))
			mlState = uint64(m.base) + r.read(uint(m.bits))
			ofState = uint64(o.base) + r.read(uint(o.bits))
		}
		if r.left < 0 {
			return corrupt("sequences cross the end")
		}
		if literals > len(d.literals) {
			return corrupt("a sequence with %d literals, of which %d are left", literals, len(d.literals))
		}
		if err := d.append(d.literals[:literals]); err != nil {
			return err
		}
		d.literals = d.literals[literals:]
		if err := d.match(d.offset(offset, literals == 0), size); err != nil {
			return err
		}
	}
	if r.left != 0 {
		return corrupt("%d bits behind the sequences", r.left)
	}
	return d.append(d.literals)
}

func sequenceCount(src []byte) (int, []byte, error) {
	bytes := 1
	if len(src) > 0 && src[0] == 255 {
		bytes = 3
	} else if len(src) > 0 && src[0] >= 128 {
		bytes = 2
	}
	switch {
	case len(src) < bytes:
		return 0, nil, corrupt("Number_of_Sequences crosses the end")
	case bytes == 1:
		return int(src[0]), src[1:], nil
	case bytes == 2:
		return int(src[0]-128)<<8 + int(src[1]), src[2:], nil
	}
	return int(src[1]) + int(src[2])<<8 + 0x7f00, src[3:], nil
}

// readTable reads the table of one kind of codes, and returns what is behind it.
func (c *codes) readTable(kind int, mode byte, src []byte) ([]byte, error) {
	k := &kinds[kind]
	var n counts
	switch mode {
	case modePredefined:
		n.n, n.log = copy(n.of[:], k.counts), k.log
	case modeRLE:
		if len(src) == 0 || int(src[0]) > k.maxSymbol {
			return nil, corrupt("the one code of a table crosses the end, or is above %d", k.maxSymbol)
		}
		c.table[0], c.log, c.has = cell{symbol: src[0]}, 0, true
		return src[1:], nil
	case modeFSE:
		var err error
		if src, err = n.readCounts(src, k.maxLog, k.maxSymbol); err != nil {
			return nil, err
		}
	case modeRepeat:
		if !c.has {
			return nil, corrupt("codes by the table of the block before, which has none")
		}
		return src, nil
	}
	n.build(c.table[:])
	c.log, c.has = n.log, true
	return src, nil
}

// offset is what an offset's value stands for: one of the last three, or one of its own (§3.1.1.5).
func (d *decoder) offset(value uint64, noLiterals bool) uint64 {
	r := &d.repeats
	if value > 3 {
		*r = [3]uint64{value - 3, r[0], r[1]}
		return r[0]
	}
	if noLiterals {
		value++
	}
	switch value {
	case 2:
		r[0], r[1] = r[1], r[0]
	case 3:
		*r = [3]uint64{r[2], r[0], r[1]}
	case 4:
		*r = [3]uint64{r[0] - 1, r[0], r[1]}
	}
	return r[0]
}
