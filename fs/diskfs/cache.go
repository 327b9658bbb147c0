package diskfs

import (
	"container/list"
	"sync"
)

// Cache keeps blocks that were read, or made of what was read, up to a number of bytes.
// Nobody may change them.
type Cache[K comparable] struct {
	limit int
	mu    sync.Mutex
	size  int
	m     map[K]*list.Element
	order *list.List // of *cached; the last used one first
}

type cached[K comparable] struct {
	key  K
	data []byte
}

// NewCache makes a cache of limit bytes.
func NewCache[K comparable](limit int) *Cache[K] {
	return &Cache[K]{limit: limit, m: map[K]*list.Element{}, order: list.New()}
}

// Get returns the block of a key, which make makes if it is not there.
func (c *Cache[K]) Get(key K, make func() ([]byte, error)) ([]byte, error) {
	c.mu.Lock()
	if e := c.m[key]; e != nil {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(*cached[K]).data, nil
	}
	c.mu.Unlock()
	data, err := make()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.m[key]; e != nil { // made by another meanwhile
		return e.Value.(*cached[K]).data, nil
	}
	c.m[key] = c.order.PushFront(&cached[K]{key, data})
	c.size += cap(data)
	for c.size > c.limit && c.order.Len() > 1 {
		e := c.order.Back()
		old := c.order.Remove(e).(*cached[K])
		delete(c.m, old.key)
		c.size -= cap(old.data)
	}
	return data, nil
}
