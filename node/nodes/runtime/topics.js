'use strict'

/** What the topics of a filter without `#` match in full (MQTT 5.0, 4.7). */
function topicPattern(filter) {
  // A wildcard in the first level does not match `$SYS` and the like.
  const start = filter.startsWith('+') ? '(?!\\$)' : ''
  const levels = filter
    .split('/')
    .map((level) => (level === '+' ? '[^/]*' : level.replace(/[.*?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${start}${levels.join('/')}$`, 's')
}

module.exports = { topicPattern }
