using Microsoft.Extensions.Options;

namespace Muster.Gateway.CertificateStatus;

/// <summary>How many OCSP requests of a gateway silos are asked: so many a second, and so many at a time.</summary>
internal sealed class OcspGate(IOptions<CertificateStatusOptions> options, TimeProvider clock)
{
    /// <summary>They wait in one grain: more would only wait longer.</summary>
    private const int AtOnceMax = 64;

    private readonly Lock _gate = new();
    private long _second;
    private int _taken;
    private int _underWay;

    /// <summary>False for who has to try later; whoever enters leaves.</summary>
    public bool TryEnter()
    {
        var second = clock.GetUtcNow().ToUnixTimeSeconds();
        lock (_gate)
        {
            if (second != _second)
            {
                (_second, _taken) = (second, 0);
            }

            if (_taken >= options.Value.OcspPerSecondMax || _underWay >= AtOnceMax)
            {
                return false;
            }

            _taken++;
            _underWay++;
            return true;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            _underWay--;
        }
    }
}
