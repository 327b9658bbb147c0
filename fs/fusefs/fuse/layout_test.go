package fuse

import (
	"encoding/binary"
	"reflect"
	"strconv"
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

type wire interface {
	AppendTo(b []byte) []byte
	Decode(b []byte) error
}

type layoutTest struct {
	v       wire
	name    string // in fuse.h
	size    int
	offsets string
}

// fill gives every number inside v a different value with different bytes.
func fill(v reflect.Value, seed *uint64) {
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			fill(v.Field(i), seed)
		}
		return
	}
	*seed++
	x := *seed * 0x9e3779b97f4a7c15
	if v.CanUint() {
		v.SetUint(x >> (64 - 8*v.Type().Size()))
	} else {
		v.SetInt(int64(x) >> (64 - 8*v.Type().Size()))
	}
}

// number is what the bytes of one field hold.
func number(b []byte) uint64 {
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:])
}

func TestLayout(t *testing.T) {
	for _, c := range layouts {
		t.Run(c.name, func(t *testing.T) {
			v := reflect.ValueOf(c.v).Elem()
			seed := uint64(0)
			fill(v, &seed)
			dirty := []byte("dirty dirty dirty dirty dirty")
			b := c.v.AppendTo(dirty[:3:len(dirty)])
			if string(b[:3]) != "dir" {
				t.Fatal("AppendTo changed what was there")
			}
			b = b[3:]
			if len(b) != c.size {
				t.Fatalf("%d bytes, want %d", len(b), c.size)
			}
			covered := make([]bool, c.size)
			offsets := strings.Fields(c.offsets)
			if len(offsets) != v.NumField() {
				t.Fatalf("%d fields, want %d", v.NumField(), len(offsets))
			}
			for _, o := range offsets {
				name, num, _ := strings.Cut(o, ":")
				off, _ := strconv.Atoi(num)
				f := v.FieldByName(name)
				if !f.IsValid() {
					t.Fatalf("no field %s", name)
				}
				if f.Kind() == reflect.Struct {
					inner := f.Addr().Interface().(wire).AppendTo(nil)
					if string(inner) != string(b[off:off+len(inner)]) {
						t.Errorf("%s is not at %d", name, off)
					}
					for i := range inner {
						covered[off+i] = true
					}
					continue
				}
				size := int(f.Type().Size())
				for i := range size {
					covered[off+i] = true
				}
				want := f.Interface()
				got := reflect.New(f.Type()).Elem()
				if f.CanUint() {
					got.SetUint(number(b[off : off+size]))
				} else {
					got.SetInt(int64(number(b[off:off+size])) << (64 - 8*size) >> (64 - 8*size))
				}
				if got.Interface() != want {
					t.Errorf("%s at %d: %#x, want %#x", name, off, got, want)
				}
			}
			for i, x := range b {
				if !covered[i] && x != 0 {
					t.Errorf("padding at %d is %#x", i, x)
				}
			}
			back := reflect.New(v.Type())
			if err := back.Interface().(wire).Decode(b); err != nil {
				t.Fatal(err)
			}
			if back.Elem().Interface() != v.Interface() {
				t.Errorf("decoded %+v, want %+v", back.Elem(), v)
			}
			for n := range c.size {
				if err := c.v.Decode(b[:n:n]); err != ErrShort {
					t.Fatalf("Decode of %d bytes: %v, want ErrShort", n, err)
				}
			}
		})
	}
}

// TestLayoutGoFuse compares the layouts with those of an independent
// implementation.
func TestLayoutGoFuse(t *testing.T) {
	header := reflect.TypeFor[gofuse.InHeader]().Size()
	for _, c := range []struct {
		ours   wire
		theirs any
	}{
		{&InHeader{}, gofuse.InHeader{}}, {&OutHeader{}, gofuse.OutHeader{}},
		{&InitIn{}, gofuse.InitIn{}}, {&InitOut{}, gofuse.InitOut{}},
		{&Attr{}, gofuse.Attr{}}, {&AttrOut{}, gofuse.AttrOut{}}, {&EntryOut{}, gofuse.EntryOut{}},
		{&GetattrIn{}, gofuse.GetAttrIn{}}, {&SetattrIn{}, gofuse.SetAttrIn{}},
		{&StatxIn{}, gofuse.StatxIn{}}, {&StatxOut{}, gofuse.StatxOut{}}, {&Statx{}, gofuse.Statx{}},
		{&StatfsOut{}, gofuse.StatfsOut{}}, {&ForgetIn{}, gofuse.ForgetIn{}},
		{&MknodIn{}, gofuse.MknodIn{}}, {&MkdirIn{}, gofuse.MkdirIn{}},
		{&Rename2In{}, gofuse.RenameIn{}}, {&LinkIn{}, gofuse.LinkIn{}},
		{&CreateIn{}, gofuse.CreateIn{}}, {&AccessIn{}, gofuse.AccessIn{}},
		{&OpenIn{}, gofuse.OpenIn{}}, {&OpenOut{}, gofuse.OpenOut{}},
		{&ReleaseIn{}, gofuse.ReleaseIn{}}, {&FlushIn{}, gofuse.FlushIn{}},
		{&ReadIn{}, gofuse.ReadIn{}}, {&WriteIn{}, gofuse.WriteIn{}}, {&WriteOut{}, gofuse.WriteOut{}},
		{&FsyncIn{}, gofuse.FsyncIn{}}, {&FallocateIn{}, gofuse.FallocateIn{}},
		{&LseekIn{}, gofuse.LseekIn{}}, {&LseekOut{}, gofuse.LseekOut{}},
		{&CopyFileRangeIn{}, gofuse.CopyFileRangeIn{}},
		{&IoctlIn{}, gofuse.IoctlIn{}}, {&IoctlOut{}, gofuse.IoctlOut{}},
		{&SetxattrIn{}, gofuse.SetXAttrIn{}}, {&GetxattrIn{}, gofuse.GetXAttrIn{}},
		{&GetxattrOut{}, gofuse.GetXAttrOut{}}, {&InterruptIn{}, gofuse.InterruptIn{}},
		{&FileLock{}, gofuse.FileLock{}}, {&LkIn{}, gofuse.LkIn{}}, {&LkOut{}, gofuse.LkOut{}},
		{&NotifyInvalInodeOut{}, gofuse.NotifyInvalInodeOut{}},
		{&NotifyInvalEntryOut{}, gofuse.NotifyInvalEntryOut{}},
		{&NotifyDeleteOut{}, gofuse.NotifyInvalDeleteOut{}},
		{&NotifyStoreOut{}, gofuse.NotifyStoreOut{}}, {&NotifyRetrieveOut{}, gofuse.NotifyRetrieveOut{}},
	} {
		theirs := reflect.TypeOf(c.theirs)
		size := theirs.Size()
		base := uintptr(0)
		if f, ok := theirs.FieldByName("InHeader"); ok && f.Anonymous {
			base = header // theirs start with the request header
			size -= header
		}
		if got := uintptr(len(c.ours.AppendTo(nil))); got != size {
			t.Errorf("%T: %d bytes, go-fuse has %d", c.ours, got, size)
		}
		ours := offsetsOf(c.ours)
		for name, off := range fieldsOf(theirs, base) {
			if o, ok := ours[strings.ToLower(name)]; ok && o != off {
				t.Errorf("%T.%s at %d, go-fuse has it at %d", c.ours, name, o, off)
			}
		}
	}
}

// offsetsOf looks up the offsets of v's fields in layouts.
func offsetsOf(v wire) map[string]uintptr {
	m := map[string]uintptr{}
	for _, c := range layouts {
		if reflect.TypeOf(c.v) != reflect.TypeOf(v) {
			continue
		}
		for _, o := range strings.Fields(c.offsets) {
			name, num, _ := strings.Cut(o, ":")
			off, _ := strconv.Atoi(num)
			m[strings.ToLower(name)] = uintptr(off)
		}
	}
	return m
}

// fieldsOf returns the offsets behind base of t's fields, embedded ones with
// their own.
func fieldsOf(t reflect.Type, base uintptr) map[string]uintptr {
	m := map[string]uintptr{}
	for _, f := range reflect.VisibleFields(t) {
		off := uintptr(0)
		for at, i := t, 0; i < len(f.Index); i++ {
			g := at.Field(f.Index[i])
			off += g.Offset
			at = g.Type
		}
		if off >= base && !(base > 0 && t.Field(f.Index[0]).Name == "InHeader") {
			m[strings.TrimSuffix(f.Name, "_")] = off - base
		}
	}
	return m
}
