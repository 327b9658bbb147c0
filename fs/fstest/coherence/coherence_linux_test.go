package coherence

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/fs/fusefs/fusetest"
	"github.com/yolkos/yolk/fs/tmpfs"
)

var (
	seed  = flag.Uint64("seed", 1, "seed of the first play")
	seeds = flag.Int("seeds", 10_000, "how many plays with a server whose replies are delayed and reordered")
)

// TestLinux plays on a directory of this machine: the checker has nothing to
// say against what Linux does.
func TestLinux(t *testing.T) {
	for i := range uint64(20) {
		if err := Play(fstest.Linux{}, t.TempDir(), Config{Seed: i, Workers: 4, Calls: 60}); err != nil {
			t.Errorf("seed %d: %v", i, err)
		}
	}
}

// TestTmpfs plays on the file system in memory.
func TestTmpfs(t *testing.T) {
	for i := range uint64(50) {
		k := fstest.NewKernel(tmpfs.New(tmpfs.Limits{}))
		if err := Play(k, "", Config{Seed: i, Workers: 4, Calls: 60}); err != nil {
			t.Errorf("seed %d: %v", i, err)
		}
	}
}

// TestSchedules plays over FUSE with a server that handles requests, and whose
// replies arrive, in an order that the seed decides, between any two calls.
//
//	go test ./fs/fstest/coherence -run Schedules -seed 1234 -seeds 1
func TestSchedules(t *testing.T) { playSchedules(t, *seeds, false) }

// TestSchedulesAndServer is the same with a worker who uses another client of
// the server, which gives what it tells no lifetime.
func TestSchedulesAndServer(t *testing.T) { playSchedules(t, *seeds/4, true) }

func playSchedules(t *testing.T, seeds int, elsewhere bool) {
	// With one processor, what runs between two steps is over when this
	// goroutine is scheduled again, and a seed plays the same each time.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for i := range uint64(max(seeds, 1)) {
		if err := playSchedule(t, *seed+i, elsewhere); err != nil {
			t.Fatalf("-seed %d -seeds 1: %v", *seed+i, err)
		}
	}
}

// playSchedule plays one seed.
func playSchedule(t *testing.T, seed uint64, elsewhere bool) error {
	r := rand.New(rand.NewPCG(seed, 1<<33))
	var flags uint64
	for _, f := range []uint64{fuse.FUSE_ATOMIC_O_TRUNC, fuse.FUSE_AUTO_INVAL_DATA, fuse.FUSE_ASYNC_READ, fuse.FUSE_PARALLEL_DIROPS,
		fuse.FUSE_DO_READDIRPLUS, fuse.FUSE_READDIRPLUS_AUTO, fuse.FUSE_BIG_WRITES, fuse.FUSE_MAX_PAGES} {
		if r.IntN(4) > 0 {
			flags |= f
		}
	}
	server := fusetest.NewServer(tmpfs.New(tmpfs.Limits{}), flags)
	distrust := r.IntN(4) // of 4 replies, how many are not to be believed
	if elsewhere {
		distrust = 4
	}
	server.Valid = func() time.Duration {
		if r.IntN(4) < distrust {
			return 0
		}
		return time.Hour
	}
	server.OpenFlags = func() uint32 { return uint32(r.IntN(2)) * fuse.FOPEN_KEEP_CACHE }
	schedule := fusetest.NewSchedule(server)
	s := &stage{t: t, r: r, schedule: schedule, turns: map[int]chan struct{}{}}

	var err error
	go func() {
		defer s.close()
		var f *fusefs.FS
		if f, err = fusefs.Mount(schedule, fusefs.Options{CacheSize: 1 << 20, Logf: t.Logf}); err == nil {
			c := Config{Seed: seed, Workers: 3 + r.IntN(3), Calls: 14, Turn: s.turn}
			if elsewhere {
				other, e := fusefs.Mount(fusetest.Direct{Server: server}, fusefs.Options{CacheSize: -1, Logf: t.Logf})
				if err = e; err != nil {
					return
				}
				c.Elsewhere = fstest.NewKernel(other)
			}
			if err = Play(fstest.NewKernel(f), "", c); err == nil {
				err = f.Close()
			}
		}
	}()
	s.direct()
	return err
}

// stage is where a play takes place: it says whose turn it is.
type stage struct {
	t        *testing.T
	r        *rand.Rand
	schedule *fusetest.Schedule

	mu    sync.Mutex
	ready []int // workers who wait for their turn
	turns map[int]chan struct{}
	over  bool
}

// turn waits for a worker's turn.
func (s *stage) turn(worker int) {
	c := make(chan struct{})
	s.mu.Lock()
	s.ready = append(s.ready, worker)
	s.turns[worker] = c
	s.mu.Unlock()
	<-c
}

func (s *stage) close() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
}

// direct lets one thing after another happen until the play is over.
func (s *stage) direct() {
	idle := time.Now()
	for {
		for range 4 {
			runtime.Gosched()
		}
		s.mu.Lock()
		over, ready, under := s.over, len(s.ready), s.schedule.Pending()
		s.mu.Unlock()
		switch {
		case over:
			return
		case ready+under == 0:
			// Somebody waits for time to pass: for a deferred request.
			if time.Since(idle) > time.Minute {
				panic("the play hangs")
			}
			time.Sleep(50 * time.Microsecond)
			continue
		case s.r.IntN(ready+2*under) < ready:
			s.begin()
		default:
			s.schedule.Step(s.r)
		}
		idle = time.Now()
	}
}

func (s *stage) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.r.IntN(len(s.ready))
	w := s.ready[i]
	s.ready = append(s.ready[:i], s.ready[i+1:]...)
	close(s.turns[w])
}
