/* Every limit of the library, and the sizes of what travels. The formats are in src/CLASSIC.md and
 * src/SEALED.md; what stands under #ifndef can be set with a compiler flag. */
#ifndef ESPSEAL_LIMITS_H
#define ESPSEAL_LIMITS_H /* ESPSEAL_CONFIG_H is that of a provisioned sketch */

/* The sealed frame. */
#define ESPSEAL_ADDRESS_BYTES 8
#define ESPSEAL_DEVICE_KEY_BYTES 32
#define ESPSEAL_SESSION_BYTES 16
#define ESPSEAL_TAG_BYTES 16
#define ESPSEAL_HEADER_BYTES 20
#define ESPSEAL_OVERHEAD_BYTES (ESPSEAL_HEADER_BYTES + ESPSEAL_TAG_BYTES)
#define ESPSEAL_SEALED_FRAME_BYTES_MAX 16384

/* Sessions, hello, commands: lengths of time are in milliseconds. */
#define ESPSEAL_BEACON_DIGITS 32
#define ESPSEAL_EPOCHS_AHEAD 3
#define ESPSEAL_OLD_SESSION_MS 60000U
#define ESPSEAL_BEACON_FRESH_MS 60000U
#define ESPSEAL_HELD_MS 10000U
#define ESPSEAL_ASKED_MS 60000U
#define ESPSEAL_HELLO_FIRST_MS 2000U
#define ESPSEAL_HELLO_LAST_MS 64000U
#ifndef ESPSEAL_HELLO_EVERY_MS
#define ESPSEAL_HELLO_EVERY_MS 600000U
#endif
/* An acknowledgement is the longest answer of the library's own; a hello also carries the
 * firmware's version. */
#define ESPSEAL_ACK_FRAME_BYTES (ESPSEAL_OVERHEAD_BYTES + 1 + ESPSEAL_TAG_BYTES)
#define ESPSEAL_VERSION_BYTES_MAX 32
#define ESPSEAL_HELLO_FRAME_BYTES_MAX \
    (ESPSEAL_OVERHEAD_BYTES + ESPSEAL_SESSION_BYTES + ESPSEAL_VERSION_BYTES_MAX)

/* The counter: up to a multiple of this they are reserved by one write to flash, a power of two. A
 * power cut loses what is left of them, and nothing else. */
#ifndef ESPSEAL_COUNTERS_RESERVED
#define ESPSEAL_COUNTERS_RESERVED 1024U
#endif

/* Flash: two sectors, each a row of records. */
#define ESPSEAL_FLASH_SECTORS 2U
#define ESPSEAL_FLASH_SECTOR_BYTES 4096U
/* RTC user memory: words 0 to 31 belong to an update over the air. */
#define ESPSEAL_RTC_FIRST_WORD 32U

/* The classic frame. */
#define ESPSEAL_CLASSIC_FRAME_BYTES_MAX 2048
#define ESPSEAL_CLASSIC_NODE_BYTES_MAX 15
#define ESPSEAL_CLASSIC_MAC_BYTES 20
#define ESPSEAL_CLASSIC_SESSION_DIGITS 32
/* How long a session ID is used after it was first heard, and how long it has to stand before it
 * is: a false one is answered by the host at once. */
#define ESPSEAL_CLASSIC_SESSION_AGE_MS 60000U
#define ESPSEAL_CLASSIC_SETTLE_MS 1000U
/* Command sessions: how many of the ones drawn last are open, how many used ones are kept to tell
 * a repeated command from a forged one, and how long one is shown. */
#define ESPSEAL_CLASSIC_DRAWN 2U
#define ESPSEAL_CLASSIC_USED 4U
#define ESPSEAL_CLASSIC_DRAW_EVERY_MS 60000U

/* Over MQTT: readings that wait, with a byte more each; the longest message that is taken; the
 * longest name of a fleet; pauses, in milliseconds. */
#ifndef ESPSEAL_OUTBOX_BYTES
#define ESPSEAL_OUTBOX_BYTES 512
#endif
#ifndef ESPSEAL_MESSAGE_BYTES_MAX
#define ESPSEAL_MESSAGE_BYTES_MAX 512
#endif
#define ESPSEAL_FLEET_BYTES_MAX 32
/* How many messages the broker may owe an acknowledgement before readings wait: they are in the
 * client's heap. */
#ifndef ESPSEAL_IN_FLIGHT_MAX
#define ESPSEAL_IN_FLIGHT_MAX 16
#endif
#define ESPSEAL_RECONNECT_FIRST_MS 1000U
#ifndef ESPSEAL_RECONNECT_LAST_MS
#define ESPSEAL_RECONNECT_LAST_MS 60000U
#endif
#define ESPSEAL_QUIET_MS 300U
/* Of a reading of 255 bytes. */
#define ESPSEAL_CLASSIC_READING_FRAME_BYTES (107 + 2 * 256)

#if defined(__GNUC__)
#define ESPSEAL_MUST_USE __attribute__((warn_unused_result))
#define ESPSEAL_NO_INLINE __attribute__((noinline))
#define ESPSEAL_INLINE static inline __attribute__((always_inline))
#else
#define ESPSEAL_MUST_USE
#define ESPSEAL_NO_INLINE
#define ESPSEAL_INLINE static inline
#endif

#endif
