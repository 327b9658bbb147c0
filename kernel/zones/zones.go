// Package zones gives programs that call time.LoadLocation the time zones where neither
// their root nor the host has them.
package zones

import _ "time/tzdata" // where package time looks at last
