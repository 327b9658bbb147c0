package virtionet

// look has the watcher look at the configuration.
func (n *Net) look() { signal(n.changed) }

// status is the configuration's field of that name (§5.1.4).
func (n *Net) status() uint16 {
	if !n.has(featureStatus) {
		return statusLinkUp
	}
	return n.dev.Config16(configStatus)
}

func (n *Net) linkUp() bool { return n.dev.Err() == nil && n.status()&statusLinkUp != 0 }

// watch tells the stack of changes of the link, the latest state of it, and when it is
// to announce itself.
func (n *Net) watch() {
	defer n.events.Done()
	told := n.up.Load()
	for {
		n.up.Store(n.linkUp())
		if up := n.up.Load(); up != told {
			told = up
			n.stack.LinkChanged(up)
		}
		if n.dev.Err() == nil && n.has(featureGuestAnnounce) && n.status()&statusAnnounce != 0 {
			n.stack.Announce()
			// The device takes the bit away (§5.1.6.5.4); where it cannot be told,
			// there is nothing to be done about it.
			_ = n.control.command(commandAnnounce, nil)
		}
		select {
		case <-n.changed:
		case <-n.closing:
			return
		}
	}
}
