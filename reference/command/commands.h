/* Subcommands of this room. Each takes its own name as argv[0] and returns the exit status. */
#ifndef LFM_REFERENCE_COMMAND_COMMANDS_H
#define LFM_REFERENCE_COMMAND_COMMANDS_H

int lfm_command_info(int argc, char **argv);
int lfm_command_tokenize(int argc, char **argv);
int lfm_command_generate(int argc, char **argv);
int lfm_command_logits(int argc, char **argv);
int lfm_command_trace(int argc, char **argv);

#endif
