/* test_validate.c: combinations that would silently leave something out are refused. */
#include "config_test.h"

static rs_config configured(const char *line)
{
    char words[256];
    char *argv[16];
    int argc = 0;
    bool help;
    rs_config c;
    rs_config_default(&c);
    (void)snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word && argc < 16; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    ASSERT_TAKEN(rs_config_parse(&c, 0, argc, argv, &help, &error));
    return c;
}

static void combinations_that_make_sense_pass(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "--optimizer sgd --momentum 0.9 --nesterov --weight-decay 1e-4",
        "--optimizer adamw --beta1 0.8 --beta2 0.9 --epsilon 1e-6",
        "--schedule step --schedule-step 10 --schedule-gamma 0.5",
        "--schedule exponential --schedule-gamma 0.9",
        "--schedule inverse-time --schedule-k 1",
        "--schedule cosine --schedule-min 1e-5",
        "--schedule cosine-restarts --schedule-t0 3 --schedule-t-mult 1 --schedule-min 0.1",
        "--network cnn-b --dropout 0.5 --initialization normal --initialization-std 2",
        "--depth 34 --initialization zeros --dropout 0",
        "--resume --verbose --device cuda:1 --precision tf32",
        "--optimizer rmsprop --momentum 0.9 --alpha 0.9 --epsilon 1e-6",
        "--optimizer adagrad --epsilon 1e-10",
        "--optimizer sgd --epsilon -1",
        "--isolate target --isolate-from 100 --layer-target 0.25 --freeze conv1 --freeze-from 3 --epochs 101",
        "--layer-loss exponential --layer-target 1",
        "--record layer-losses:fc,sensitivity --layer-target 1",
        "--init-from a.h5 --init-optimizer --reinitialize fc --loss-labels added",
        "--init-from a.safetensors --init-snapshot 3",
        "--dataset function --function sin-log --loss mse --stop-change 1e-5 --stop-change-from 6 --epochs 7",
        "--valid-split 25000 --swap-splits --random-labels 1 --normalization train",
        "--augment flip --seed-augment 3",
        "--dataset function --function sin-log --function-from 1 --function-to 100 --function-samples 9",
        "--dataset function --function sinc --function-from -5 --valid-split 7",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        rs_config c = configured(lines[i]);
        ASSERT_TAKEN(rs_config_validate(&c, &error));
    }
}

/* Option lines, and what is said of them. */
static const struct {
    const char *line, *message;
} without_effect[] = {
    {"--nesterov", "--nesterov needs --optimizer sgd and a --momentum above 0"},
    {"--optimizer sgd --nesterov", "--nesterov needs --optimizer sgd and a --momentum above 0"},
    {"--momentum 0.9", "--momentum is of --optimizer sgd and rmsprop; adam has --beta1"},
    {"--optimizer adagrad --momentum 0.9", "--momentum is of --optimizer sgd and rmsprop; adagrad has none"},
    {"--optimizer rmsprop --momentum 0.9 --nesterov",
     "--nesterov needs --optimizer sgd and a --momentum above 0"},
    {"--optimizer sgd --beta2 0.9", "--beta1 and --beta2 are of --optimizer adam and adamw; it is sgd"},
    {"--optimizer sgd --epsilon 1e-6",
     "--epsilon is of --optimizer adam, adamw, adagrad and rmsprop; sgd has none"},
    {"--epsilon -0.5", "--epsilon -0.5: must be at least 0, or -1 for the optimizer's own"},
    {"--weight-decay -0.5", "--weight-decay -0.5: must be at least 0, or -1 for the optimizer's own"},
    {"--alpha 0.9", "--alpha is of --optimizer rmsprop; it is adam"},
    {"--beta1 1", "--beta1, --beta2 and --alpha must be below 1; the usual are 0.9, 0.999 and 0.99"},
    {"--dropout 1", "--dropout 1: must be at least 0 and below 1, or -1 for the network's own"},
    {"--dropout -0.5", "--dropout -0.5: must be at least 0 and below 1, or -1 for the network's own"},
    {"--initialization-std 2", "--initialization-std is of --initialization normal; it is own"},
    {"--initialization normal --initialization-std 0",
     "--initialization-std must be above 0; --initialization zeros gives zeros"},
    {"--schedule-step 3", "--schedule-step is of --schedule step; the schedule is constant"},
    {"--schedule cosine --schedule-gamma 0.5",
     "--schedule-gamma is of --schedule step and exponential; the schedule is cosine"},
    {"--schedule step --schedule-k 2", "--schedule-k is of --schedule inverse-time; the schedule is step"},
    {"--schedule cosine --schedule-t0 2",
     "--schedule-t0 is of --schedule cosine-restarts; the schedule is cosine"},
    {"--schedule-t-mult 3", "--schedule-t-mult is of --schedule cosine-restarts; the schedule is constant"},
    {"--schedule-min 0.1", "--schedule-min is of --schedule cosine and cosine-restarts; the schedule is "
                           "constant"},
    {"--overwrite --resume",
     "--overwrite and --resume exclude each other: replace the record or go on with it"},
    {"--valid-split 1000 --train-limit 1000",
     "--valid-split 1000 would take all of --train-limit 1000; give "
     "a smaller --valid-split, 200 for example (`run`: --set valid-split=N)"},
    {"--swap-splits", "--swap-splits needs a --valid-split to swap with"},
    {"--function sinc", "--function is of --dataset function; the data set is cifar10"},
    {"--dataset mnist --function-to 6", "--function-to is of --dataset function; the data set is mnist"},
    {"--function-from 0", "--function-from is of --dataset function; the data set is cifar10"},
    {"--function-samples 7", "--function-samples is of --dataset function; the data set is cifar10"},
    {"--function-valid 7", "--function-valid is of --dataset function; the data set is cifar10"},
    {"--dataset function", "--dataset function needs --function sin-log, sinc or sinc-log"},
    {"--dataset function --function sinc --function-from 6",
     "--function-from 6 must be below --function-to 5"},
    {"--dataset function --function sinc-log --function-from -1",
     "--function sinc-log has ln(x + 1): --function-from must be above -1"},
    {"--dataset function --function sinc --resize 8",
     "--resize is of images and their labels; --dataset function has numbers"},
    {"--dataset function --function sinc --random-labels 0.1",
     "--random-labels is of images and their labels; --dataset function has numbers"},
    {"--dataset function --function sinc --augment flip",
     "--augment is of images and their labels; --dataset function has numbers"},
    {"--dataset function --function sinc --normalization train",
     "--normalization is of images and their labels; --dataset function has numbers"},
    {"--quiet --verbose", "--quiet and --verbose exclude each other"},
    {"--device cpu --precision tf32", "--precision tf32 needs a GPU; --device cpu computes in f32"},
};

static void combinations_without_effect_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof without_effect / sizeof without_effect[0]; i++) {
        rs_config c = configured(without_effect[i].line);
        ASSERT_REFUSED(rs_config_validate(&c, &error), without_effect[i].message);
    }
}

static void options_of_layers_without_effect_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"--isolate-from 3", "--isolate-from has no effect without --isolate"},
        {"--freeze-from 3", "--freeze-from has no effect without --freeze"},
        {"--layer-target 1 --isolate none",
         "--layer-target has no effect without --layer-loss, --isolate target or --record layer-losses"},
        {"--isolate none --layer-loss even",
         "--isolate none and --layer-loss even exclude each other: both say what layers learn by"},
        {"--isolate none --record sensitivity", "--record sensitivity: the gradient of the input is not the "
                                                "loss's own with --isolate or --layer-loss"},
        {"--dataset function --record sensitivity",
         "--record sensitivity has no effect without labels to predict"},
        {"--loss mse --loss-labels added", "--loss-labels added has no effect without labels to predict"},
        {"--init-snapshot 3", "--init-snapshot has no effect without --init-from"},
        {"--init-optimizer", "--init-optimizer has no effect without --init-from"},
        {"--reinitialize fc", "--reinitialize has no effect without --init-from"},
        {"--init-from a.h5 --init-snapshot 3 --init-optimizer",
         "--init-optimizer takes the state where that run ended: it needs --init-snapshot last"},
        {"--dataset function --loss cross-entropy",
         "--loss cross-entropy needs labels; --dataset function has numbers: mse"},
        {"--isolate target --isolate-from 5 --epochs 5",
         "--isolate-from 5 has no effect in a run of 5 epochs, the last of which is epoch 4"},
        {"--freeze fc --freeze-from 6 --epochs 5",
         "--freeze-from 6 has no effect in a run of 5 epochs, the last of which is epoch 4"},
        {"--stop-change 1 --stop-change-from 5 --epochs 5",
         "--stop-change-from 5 has no effect in a run of 5 epochs, the last of which is epoch 4"},
        {"--seed-augment 3", "--seed-augment has no effect without --augment"},
        {"--stop-change-from 6", "--stop-change-from has no effect without --stop-change"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config c = configured(cases[i].line);
        ASSERT_REFUSED(rs_config_validate(&c, &error), cases[i].message);
    }
}

/* As a file of options may have it; the command line refuses it by itself. */
static void a_network_and_options_of_the_resnets_are_refused(void **state)
{
    (void)state;
    rs_config c = configured("--network cnn-b");
    c.plain = true;
    ASSERT_REFUSED(
        rs_config_validate(&c, &error),
        "--network cnn-b names a whole network; --depth, --plain, --width and --blocks are of the ResNets");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(combinations_that_make_sense_pass),
        cmocka_unit_test(combinations_without_effect_are_refused),
        cmocka_unit_test(a_network_and_options_of_the_resnets_are_refused),
        cmocka_unit_test(options_of_layers_without_effect_are_refused),
    };
    return cmocka_run_group_tests_name("combinations", tests, NULL, NULL);
}
