namespace Muster.Grains.Devices;

/// <summary>
/// Whose the keys are of those who were refused as one serial, in one minute: who is refused comes again at once, and each time would be a
/// question to a grain without an end. One after the other, and also once an owner was told: he may have dismissed what he was told.
/// </summary>
internal sealed class KeyOwnerQuestions(long minute)
{
    /// <summary>Keys asked about in a minute: a thief has one or two, and who first comes with others of his own comes again.</summary>
    public const int KeysMax = 8;

    private readonly Queue<string> _waiting = new();
    private readonly HashSet<string> _known = [];
    private bool _isAsking;

    public long Minute => minute;

    /// <param name="key">The key's SHA-256, in hex.</param>
    /// <param name="tell">Tells the key's owner, if that is another device.</param>
    public async Task AskAsync(string key, Func<string, Task> tell)
    {
        if (_known.Count >= KeysMax || !_known.Add(key))
        {
            return;
        }

        _waiting.Enqueue(key);
        if (_isAsking)
        {
            return;
        }

        _isAsking = true;
        while (_waiting.TryDequeue(out var next))
        {
            await tell(next);
        }

        _isAsking = false;
    }
}
