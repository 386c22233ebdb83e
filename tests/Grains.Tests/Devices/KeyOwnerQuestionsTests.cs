using Muster.Grains.Devices;

namespace Muster.Grains.Tests.Devices;

/// <summary>Of those who are refused as one serial, whose keys are asked about in a minute.</summary>
public sealed class KeyOwnerQuestionsTests
{
    private readonly List<string> _asked = [];

    [Fact]
    public async Task AskAsync_OfManyKeys_AsksOfEachOnceAndOfNoMoreThanTheLimit()
    {
        var questions = new KeyOwnerQuestions(1);

        for (var key = 0; key < 2 * KeyOwnerQuestions.KeysMax; key++)
        {
            await questions.AskAsync($"{key}", Nobody);
            await questions.AskAsync($"{key}", Nobody);
        }

        Assert.Equal(Enumerable.Range(0, KeyOwnerQuestions.KeysMax).Select(key => $"{key}"), _asked);
    }

    [Fact]
    public async Task AskAsync_WhileOneIsAsked_WaitsAndIsAskedThen()
    {
        var (questions, answer) = (new KeyOwnerQuestions(1), new TaskCompletionSource());

        var first = questions.AskAsync("own", key => Note(key, answer.Task));
        await questions.AskAsync("stolen", Nobody);
        Assert.Equal(["own"], _asked);
        answer.SetResult();
        await first;

        Assert.Equal(["own", "stolen"], _asked);
    }

    private Task Nobody(string key) => Note(key, Task.CompletedTask);

    private Task Note(string key, Task answer)
    {
        _asked.Add(key);
        return answer;
    }
}
