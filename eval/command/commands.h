/* Subcommands of this room. Each takes its own name as argv[0] and returns the exit status. */
#ifndef LFM_EVAL_COMMAND_COMMANDS_H
#define LFM_EVAL_COMMAND_COMMANDS_H

int lfm_command_eval(int argc, char **argv);
int lfm_command_score(int argc, char **argv);
int lfm_command_merge(int argc, char **argv);
int lfm_command_view(int argc, char **argv);
int lfm_command_pack(int argc, char **argv);
int lfm_command_conform(int argc, char **argv);

#endif
