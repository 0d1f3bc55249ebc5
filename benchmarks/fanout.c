/* The floor of the fan-out: what a loop in C takes to send a picture's packets to many receivers.
 *
 * Each packet gets a header of its receiver's own, is protected by the same libsrtp that the product uses (its functions
 * come in as pointers) and is sent: by itself, or all of one receiver's in one call that the kernel cuts apart.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define HEADER 12
#define SPACE 65536

typedef int (*protect_t)(void *session, void *packet, int *length);

static void put16(uint8_t *at, uint32_t value) { at[0] = value >> 8, at[1] = value; }
static void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16), put16(at + 2, value); }

static int send_cut(int fd, uint8_t *data, int length, int size, struct sockaddr_in *to)
{
    char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct iovec part = {data, length};
    struct msghdr message = {to, sizeof *to, &part, 1, control, sizeof control, 0};
    struct cmsghdr *option = CMSG_FIRSTHDR(&message);
    option->cmsg_level = IPPROTO_UDP;
    option->cmsg_type = UDP_SEGMENT;
    option->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t segment = size;
    memcpy(CMSG_DATA(option), &segment, sizeof segment);
    return sendmsg(fd, &message, 0) < 0 ? -1 : 0;
}

/* Sends `rounds` pictures of `packets` payloads of `size` bytes to each of `count` receivers at one loopback port.
 * Pictures are numbered from `first` on: no number may come twice under one key. Returns how many packets the socket took, or -1 where protecting failed. */
long fan_out(int fd, int port, protect_t protect, void **sessions, int count, const uint8_t *payload, int size,
             int packets, int first, int rounds, int cut)
{
    static uint8_t space[SPACE];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long taken = 0;
    for (int round = first; round < first + rounds; round++)
        for (int receiver = 0; receiver < count; receiver++) {
            int end = 0, each = 0;
            for (int number = 0; number < packets; number++) {
                uint8_t *at = space + end;
                uint32_t sequence = (uint32_t)round * packets + number;
                at[0] = 0x80, at[1] = 96 | (number == packets - 1 ? 0x80 : 0);
                put16(at + 2, sequence), put32(at + 4, round * 3000u), put32(at + 8, receiver + 1);
                memcpy(at + HEADER, payload, size);
                int length = HEADER + size;
                if (protect(sessions[receiver], at, &length))
                    return -1;
                each = length;
                if (cut)
                    end += length;
                else if (sendto(fd, at, length, 0, (struct sockaddr *)&to, sizeof to) >= 0)
                    taken++;
            }
            if (cut && !send_cut(fd, space, end, each, &to))
                taken += packets;
        }
    return taken;
}

/* Reads what comes until the other end of `stop` is closed, so that packets arrive somewhere as they do in a room. */
void drain(int fd, int stop)
{
    static uint8_t space[64][2048];
    struct iovec parts[64];
    struct mmsghdr messages[64];
    struct pollfd polled[2] = {{fd, POLLIN, 0}, {stop, POLLIN, 0}};
    memset(messages, 0, sizeof messages);
    for (int number = 0; number < 64; number++) {
        parts[number] = (struct iovec){space[number], sizeof space[number]};
        messages[number].msg_hdr = (struct msghdr){.msg_iov = &parts[number], .msg_iovlen = 1};
    }
    while (poll(polled, 2, -1) > 0 && !polled[1].revents)
        while (recvmmsg(fd, messages, 64, MSG_DONTWAIT, 0) > 0)
            ;
}
