/* A PAM module for the tests: asks what its arguments say, a line each as `kind text answer`.
   kind: off (unseen), on (seen), info (text only; its answer is ignored). */
#include <stdlib.h>
#include <string.h>

struct pam_message { int style; const char *text; };
struct pam_response { char *text; int code; };
struct pam_conv {
  int (*ask)(int, const struct pam_message **, struct pam_response **, void *);
  void *data;
};
int pam_get_item(const void *handle, int item, const void **found);

int pam_sm_authenticate(void *handle, int flags, int count, const char **arguments) {
  const struct pam_conv *conv = NULL;
  (void)flags;
  if (pam_get_item(handle, 5, (const void **)&conv) != 0 || conv == NULL) return 7;
  for (int at = 0; at + 2 < count; at += 3) {
    struct pam_message message = {4, arguments[at + 1]};
    const struct pam_message *messages = &message;
    struct pam_response *answer = NULL;
    if (strcmp(arguments[at], "off") == 0) message.style = 1;
    else if (strcmp(arguments[at], "on") == 0) message.style = 2;
    else if (strcmp(arguments[at], "info") != 0) return 7;
    if (conv->ask(1, &messages, &answer, conv->data) != 0) return 7;
    if (message.style == 4) continue;
    if (answer == NULL || answer->text == NULL || strcmp(answer->text, arguments[at + 2]) != 0) return 7;
  }
  return 0;
}

int pam_sm_setcred(void *handle, int flags, int count, const char **arguments) {
  (void)handle; (void)flags; (void)count; (void)arguments;
  return 0;
}
