// Command wasm compiles a WebAssembly module to machine code and runs it.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/tetratelabs/wazero"
)

// factorial exports fac, which calls itself, and a memory that grows.
var factorial = []byte{
	0, 'a', 's', 'm', 1, 0, 0, 0,
	1, 6, 1, 0x60, 1, 0x7e, 1, 0x7e, // type: i64 -> i64
	3, 2, 1, 0, // function 0 of that type
	5, 3, 1, 0, 1, // memory: 1 page and more
	7, 13, 2, 3, 'f', 'a', 'c', 0, 0, 3, 'm', 'e', 'm', 2, 0,
	10, 23, 1, 21, 0, // code
	0x20, 0, 0x50, // local.get 0; i64.eqz
	0x04, 0x7e, 0x42, 1, 0x05, // if i64: i64.const 1; else
	0x20, 0, 0x20, 0, 0x42, 1, 0x7d, 0x10, 0, 0x7e, // n * fac(n - 1)
	0x0b, 0x0b,
}

func main() {
	ctx := context.Background()
	// The compiler, or a panic where it is not supported; without this it interprets.
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	defer r.Close(ctx)
	code, err := r.CompileModule(ctx, factorial)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			m, err := r.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName(fmt.Sprint(i)))
			if err != nil {
				panic(err)
			}
			if _, ok := m.Memory().Grow(50); !ok || !m.Memory().WriteUint32Le(50<<16, 7) {
				panic("no memory")
			}
			for range 1000 {
				if got, err := m.ExportedFunction("fac").Call(ctx, 20); err != nil || got[0] != 2432902008176640000 {
					panic(fmt.Sprint(got, err))
				}
			}
			if err := m.Close(ctx); err != nil {
				panic(err)
			}
		})
	}
	all.Wait()
	fmt.Println("compiled")
}
