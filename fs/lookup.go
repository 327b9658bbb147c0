package fs

import "syscall"

// lookup finds name in the directory where the walk stands and returns it
// with a reference, not crossing into what may be mounted there. A name that
// does not exist is ENOENT.
func (w *walk) lookup(name string) (*Dentry, error) {
	if c := w.known(w.at, name); c != nil {
		return c.positive()
	}
	defer w.at.unlockName(w.at.lockName(name))
	return w.find(w.at, name)
}

// known returns the child called name if the cache may be believed, else nil.
func (w *walk) known(p *Dentry, name string) *Dentry {
	c := p.cached(name)
	if c != nil && !w.believes(c) {
		c.Put()
		return nil
	}
	return c
}

// believes reports whether the cache may be believed that c is the entry of its name.
func (w *walk) believes(c *Dentry) bool {
	end := c.expires.Load()
	if end == int64(Forever) && !w.distrust || c.pins.Load() > 0 {
		return true
	}
	if w.time < 0 {
		w.time = now()
	}
	if w.distrust || w.time >= end {
		return false
	}
	w.believed = true
	return true
}

// doubt is for a call that makes, removes or moves a name and would end with
// err. It must not fail for what is remembered only: if the walk has believed
// an entry that others may have changed, the result is ESTALE, upon which the
// caller begins anew and asks for every name.
func (w *walk) doubt(err error) error {
	if w.believed {
		switch err {
		case syscall.ENOENT, syscall.EEXIST, syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP:
			return syscall.ESTALE
		}
	}
	return err
}

// unlessOwn returns d, or ENOENT in exchange for the reference if it is negative,
// or of the fallback where that does not count.
func (w *walk) unlessOwn(d *Dentry) (*Dentry, error) {
	if w.own && d.inFallback() {
		d.Put()
		return nil, syscall.ENOENT
	}
	return d.positive()
}

// positive returns d, or ENOENT in exchange for the reference.
func (d *Dentry) positive() (*Dentry, error) {
	if d.kind == 0 {
		d.Put()
		return nil, syscall.ENOENT
	}
	return d, nil
}

// find looks name up in p, in the cache and then in the file system; name is
// locked, or all of p.
func (w *walk) find(p *Dentry, name string) (*Dentry, error) { return w.findOr(p, name, true) }

// findOr is find. That there is no such name is not remembered if it is about to be made.
func (w *walk) findOr(p *Dentry, name string, remember bool) (*Dentry, error) {
	c := p.cached(name)
	if c != nil {
		if w.believes(c) {
			return w.unlessOwn(c)
		}
		c.Put()
	}
	switch {
	case p.node == nil:
		return nil, syscall.ENOENT
	case len(name) > NameMax:
		return nil, syscall.ENAMETOOLONG
	}
	var e Entry
	var err error
	m := p.mnt
	if w.v.covers(p, name) {
		if e.Node = w.v.fallbackAt(p, name); e.Node != nil {
			e.Valid, m = Forever, &w.v.covering
		}
	}
	if e.Node == nil {
		e, err = p.node.Lookup(name)
	}
	if err == syscall.ENOENT || err == nil && e.Node == nil {
		if n := w.v.fallbackNode(p, name); n != nil {
			e.Node, m, err = n, &w.v.fallback, nil
		} else if e.Valid <= 0 {
			err = syscall.ENOENT
		} else if !remember && c == nil {
			return nil, syscall.ENOENT
		}
	}
	if err == nil {
		var d *Dentry
		if d, err = w.v.insertOf(m, nil, p, name, false, e); err == nil {
			return w.unlessOwn(d)
		}
	}
	// What the cache still says is out of date.
	if err == syscall.ENOENT || err == syscall.ESTALE {
		w.v.forget(p, name)
	}
	return nil, err
}

// findNew is find for the walk's last name, which is about to be made. With
// unseen set, if p's file system will tell whether there is such a name, it is
// not looked up but ENOENT, unless the cache is sure of it.
func (w *walk) findNew(p *Dentry, name string, unseen bool) (*Dentry, error) {
	_, ok := p.node.(UnseenNode)
	if !unseen || !ok || w.slash || p.mnt.readOnly || w.v.covers(p, name) {
		return w.findOr(p, name, false)
	}
	if d := p.cached(name); d != nil {
		sure := d.expires.Load() == int64(Forever) || d.pins.Load() > 0
		d.Put()
		if sure {
			return w.findOr(p, name, false)
		}
	}
	return nil, syscall.ENOENT
}

// notMade brings the cache up to date when the name in p could not be made, for
// err: only a missing one is known not to be as remembered.
func (v *VFS) notMade(p *Dentry, name string, err error) {
	if d := p.cached(name); d != nil {
		missing := d.kind == 0
		d.Put()
		if missing || err == syscall.ENOENT || err == syscall.ESTALE {
			v.forget(p, name)
		}
	}
}

// forget drops what the cache knows about name in p, but for mount points.
func (v *VFS) forget(p *Dentry, name string) {
	p.mu.Lock()
	c := p.children[name]
	if c == nil || c.pins.Load() > 0 {
		p.mu.Unlock()
		return
	}
	delete(p.children, name)
	p.mu.Unlock()
	c.bury()
}
