package lzma

// Alone makes dst of a .lzma file, as mksquashfs -comp lzma has it, and returns how many bytes of it. More: it is
// not all of them.
func Alone(dst, src []byte) (n int, more bool, err error) {
	// Properties, the size of the dictionary, that of the contents, and the coder's first byte.
	const header = 1 + 4 + 8 + 1
	if len(src) < header {
		return 0, false, corrupt("%d bytes, want a header of %d", len(src), header)
	}
	d := newDecoder(dst)
	defer d.free()
	if err := d.setProps(src[0]); err != nil {
		return 0, false, err
	}
	size := le.Uint64(src[5:])
	if size == 1<<64-1 {
		return 0, false, corrupt("the size of the contents is not told")
	}
	d.reset()
	d.begin(src[header:])
	marked, err := d.run(int(min(size, uint64(len(dst)))))
	if err == nil && marked {
		err = corrupt("an end behind %d bytes of %d", d.n, size)
	}
	return d.n, size > uint64(len(dst)), err
}

// Micro fills dst from MicroLZMA, as EROFS has it: the properties, with all bits the other way, stand in the
// place of the coder's first byte. How many bytes there are is not told.
func Micro(dst, src []byte) error {
	if len(src) == 0 {
		return corrupt("no bytes")
	}
	d := newDecoder(dst)
	defer d.free()
	if err := d.setProps(^src[0]); err != nil {
		return err
	}
	d.reset()
	d.begin(src[1:])
	marked, err := d.run(len(dst))
	if err == nil && marked {
		err = corrupt("an end behind %d bytes of %d", d.n, len(dst))
	}
	return err
}
