package syscalls

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// FuzzCalls makes any calls with any arguments. Whatever a program passes, the
// kernel's own code does not crash for it.
func FuzzCalls(f *testing.F) {
	k := reflect.TypeFor[*Kernel]()
	for i := range k.NumMethod() {
		f.Add([]byte{byte(i), 4, 0, 1, 0, 2, 3, byte(i + 1), 0, 4, 5, 0})
	}
	// open("a", O_CREAT|O_RDWR), then each call on it.
	open := methodIndex(k, "Openat")
	for i := range k.NumMethod() {
		f.Add([]byte{open, 4, 0, 14, 6, byte(i), 0, 0, 1, 0, 0, byte(i), 0, 15, 15, 7})
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k := New(fs.New(tmpfs.New(tmpfs.Limits{Bytes: 1 << 20, Files: 100}), fs.MountOptions{}))
		a := &arguments{bytes: b}
		for calls := 0; len(a.bytes) > 0 && calls < 64; calls++ {
			a.call(k)
		}
		for _, fd := range k.Descriptors() {
			k.Close(fd)
		}
	})
}

func methodIndex(t reflect.Type, name string) byte {
	m, _ := t.MethodByName(name)
	return byte(m.Index)
}

// arguments makes calls out of bytes.
type arguments struct{ bytes []byte }

func (a *arguments) next() byte {
	if len(a.bytes) == 0 {
		return 0
	}
	b := a.bytes[0]
	a.bytes = a.bytes[1:]
	return b
}

// notCalled end the kernel, hand out what belongs to it, or wait for what
// nobody does here.
var notCalled = []string{"Shutdown", "VFS", "Descriptor", "RootDir", "WorkingDir", "Wait"}

func (a *arguments) call(k *Kernel) {
	v := reflect.ValueOf(k)
	i := int(a.next()) % v.NumMethod()
	name := v.Type().Method(i).Name
	if slices.Contains(notCalled, name) {
		return
	}
	m := v.Method(i)
	var in []reflect.Value
	for j := range m.Type().NumIn() {
		in = append(in, a.value(m.Type().In(j)))
	}
	switch name {
	case "Read", "Write", "Pread", "Flock", "FcntlFlock", "Openat":
		a.patiently(k, m, in)
	case "Poll":
		if n := in[0].Len(); in[1].Len() < n || in[2].Len() < n {
			return // package syscall makes them of one length
		}
		in[3] = reflect.ValueOf(int64(0))
		m.Call(in)
	default:
		m.Call(in)
	}
}

// patiently calls what may wait for somebody else: it is interrupted.
func (a *arguments) patiently(k *Kernel, m reflect.Value, in []reflect.Value) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Call(in)
	}()
	for {
		select {
		case <-done:
			return
		default:
			if m.Type().NumIn() > 0 && in[0].Kind() == reflect.Int {
				k.Interrupt(int(in[0].Int()))
			}
		}
	}
}

// numbers are those at which something may break.
var numbers = []int64{
	0, 1, 2, 3, 4, AT_FDCWD, -1, 8, 4095, 4096, 65536, 1 << 20, 1 << 31, math.MaxInt64, math.MinInt64,
	syscall.O_CREAT | syscall.O_RDWR, syscall.O_APPEND | syscall.O_RDWR, syscall.O_DIRECTORY, O_PATH, 0o777,
}

func (a *arguments) number() int64 {
	b := a.next()
	if int(b) < len(numbers) {
		return numbers[b]
	}
	if b < 200 {
		return int64(b) - int64(len(numbers))
	}
	var n [8]byte
	for i := range n {
		n[i] = a.next()
	}
	return int64(binary.LittleEndian.Uint64(n[:]))
}

var paths = []string{
	"", "/", ".", "..", "a", "b", "a/b", "/a/../b", "d", "d/e", "../../a", "a/", "//", "\x00", "a\x00b", string(make([]byte, 5000)), "user.x", "tmpfs",
}

func (a *arguments) value(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(a.number())
	case reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Uint8:
		v.SetUint(uint64(a.number()))
	case reflect.Bool:
		v.SetBool(a.next()&1 != 0)
	case reflect.String:
		if b := int(a.next()); b < len(paths) {
			v.SetString(paths[b])
		} else {
			v.SetString(string(a.bytes[:min(len(a.bytes), b-len(paths))]))
		}
	case reflect.Slice:
		n := int(a.next())
		if n > 200 {
			n *= 1000
		}
		v.Set(reflect.MakeSlice(t, n, n))
		if t.Elem().Kind() != reflect.Uint8 {
			for i := range min(n, 8) {
				v.Index(i).Set(a.value(t.Elem()))
			}
		}
	case reflect.Pointer:
		if b := a.next(); b&1 == 0 && t != reflect.TypeFor[*[2]int]() {
			return v
		}
		v.Set(reflect.New(t.Elem()))
		if t.Elem().Kind() == reflect.Int64 {
			v.Elem().SetInt(a.number())
		}
	case reflect.Struct, reflect.Array:
	}
	return v
}
