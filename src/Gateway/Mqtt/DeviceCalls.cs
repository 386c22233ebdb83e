using Microsoft.Extensions.Options;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// What this gateway has asked the grains of devices and has no answer to yet. Devices that are here wait for nobody; those that come do
/// (<see cref="Identity.HandshakeGate"/>): each brings three questions with it, and a site that comes back at once would fill the silos'
/// queues, in which operators wait too.
/// </summary>
internal sealed class DeviceCalls(IOptions<MqttOptions> options) : IDisposable
{
    /// <summary>
    /// Of a site that goes at once its devices' grains are told a few at a time, an eighth of what may be under way: those that come back
    /// are asked for first. A late word harms nobody, because it names the session, and one that is late enough need not be said.
    /// </summary>
    private const int GoodbyesShare = 8;

    private readonly SemaphoreSlim _goodbyes = new(Math.Max(1, options.Value.CallsBusyMax / GoodbyesShare));

    private int _underWay;

    public bool AreMany => Volatile.Read(ref _underWay) > options.Value.CallsBusyMax;

    public void Begin() => Interlocked.Increment(ref _underWay);

    public void End() => Interlocked.Decrement(ref _underWay);

    /// <summary>Waits until a grain may be told that its device is gone.</summary>
    public async Task EnterGoodbyeAsync()
    {
        await _goodbyes.WaitAsync();
        Begin();
    }

    public void LeaveGoodbye()
    {
        End();
        _goodbyes.Release();
    }

    public void Dispose() => _goodbyes.Dispose();
}
