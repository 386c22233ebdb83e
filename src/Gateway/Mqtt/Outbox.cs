using Muster.Contracts.Gateways;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// What waits for one session: the newest desired state, and a bounded queue of everything else whose oldest goes first,
/// because the record is the truth and repeats. Not safe for threads; its session locks.
/// </summary>
internal sealed class Outbox(int messagesMax)
{
    private readonly Queue<DownMessage> _queue = new();
    private DesiredMessage? _desired;

    public bool IsEmpty => _desired is null && _queue.Count == 0;

    /// <summary>Puts a message in; true when an older one was dropped for it.</summary>
    public bool Put(DownMessage message)
    {
        if (message is DesiredMessage desired)
        {
            var replaced = _desired is not null;
            if (_desired is null || _desired.Desired.Generation <= desired.Desired.Generation)
            {
                _desired = desired;
            }

            return replaced;
        }

        var isFull = _queue.Count >= messagesMax;
        if (isFull)
        {
            _queue.Dequeue();
        }

        _queue.Enqueue(message);
        return isFull;
    }

    public bool TryTake(out DownMessage message)
    {
        if (_queue.TryDequeue(out var queued))
        {
            message = queued;
            return true;
        }

        message = _desired!;
        _desired = null;
        return message is not null;
    }
}
