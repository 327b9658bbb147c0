package buffer

// HeadSlice is what PullUp finds where the first view has all of it to itself, which is
// so for the headers of nearly every packet; nil: ask PullUp.
func (b *Buffer) HeadSlice(offset, length int) []byte {
	v := b.data.Front()
	if v == nil || length <= 0 || offset+length > v.write-v.read || v.sharesChunk() {
		return nil
	}
	from := v.read + offset
	return v.chunk.data[from : from+length]
}
